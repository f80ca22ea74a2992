"""What is told of the rounds: a table in Markdown, and one line."""

from collections.abc import Mapping, Sequence

from tests.chaos.rounds import Round

HEAD = (
    "| round | faults | runs of the command | trials begun again, from a checkpoint, trained twice | seconds lost"
    " | results changed |"
)


def table(undisturbed: Round, rounds: Mapping[str, Round]) -> str:
    """A row a round."""
    lines = [HEAD, "|" + "---|" * 6]
    for name, each in rounds.items():
        faults = ", ".join(map(str, each.faults)) or "none"
        lost = each.seconds - undisturbed.seconds
        begun = f"{each.begun_again}, {each.from_checkpoint}, {each.ended_again} of {each.trials}"
        lines.append(f"| {name} | {faults} | {len(each.runs)} | {begun} | {lost:.0f} | {len(each.changed)} |")
    return "\n".join(lines)


def summary(undisturbed: Round, rounds: Sequence[Round]) -> str:
    """All of them in one line."""
    faults = sum(len(each.faults) for each in rounds)
    lost = sum(each.seconds - undisturbed.seconds for each in rounds)
    trials, twice = (sum(getattr(each, name) for each in rounds) for name in ("trials", "ended_again"))
    changed, broken = sum(len(each.changed) for each in rounds), sum(bool(each.broken) for each in rounds)
    return (
        f"{len(rounds)} campaigns of {undisturbed.seconds:.0f} s, {faults} faults: {twice} of {trials:,} trials were"
        f" trained twice, {lost / max(1, len(rounds)):.0f} s lost a campaign, {changed} results changed, {broken}"
        " campaigns with something that was not as promised"
    )
