"""What a reader should know before believing the answer: searches that are not whole, lost seeds, estimates.

Each is a sentence, computed from the table of scores; one that speaks of some variants names them.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from tasks.report.numbers.formatting import ESTIMATED_BY, joined, lost_seeds, plural, search_state
from tasks.report.numbers.variant_titles import Variant, is_baseline
from tasks.report.numbers.verdicts import ENOUGH_STUDIES

_ENOUGH_PIECES = 10


def shared_caveats(of_each: Sequence[Sequence[str]]) -> list[str]:
    """The caveats that hold for every corpus, to be given once."""
    return [text for text in of_each[0] if all(text in others for others in of_each)] if of_each else []


def search_caveats(trained: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """A sentence for the variants whose searches are not whole and came equally far."""
    lacking = trained[trained["search_ended"] < trained["search_asked"]].to_dict("records")
    alike: dict[tuple[bool, str], list[str]] = {}
    for row in lacking:
        alike.setdefault((row["held_back"], search_state(row)), []).append(labels[row["variant"]])
    said = []
    for (held_back, state), names in alike.items():
        one = len(names) == 1
        if held_back:
            said.append(
                f"{joined(names)} {'is' if one else 'are'} {state}. The same campaign, run again, completes it."
            )
        else:
            said.append(f"{joined(names)} {'was' if one else 'were'} chosen among fewer: {state}; not on equal terms.")
    return said


def score_caveats(
    rows: pd.DataFrame,
    trained: pd.DataFrame,
    scored: pd.DataFrame,
    told: Sequence[pd.Series],
    labels: Mapping[str, str],
) -> list[str]:
    """All other caveats.

    Args:
        rows: of a corpus, baselines included.
        trained: the rows of variants.
        scored: the rows of variants that have a score, best first.
        told: the rows of the variants that are called the best of something.
        labels: of the variants.
    """
    said = [sentence for row in told if (sentence := _survivors(row, labels))]
    said += _lost_elsewhere(trained[~trained["variant"].isin([row["variant"] for row in told])], labels)
    said += _repeated(scored, labels)
    if int(rows["n_pieces"].max()) < _ENOUGH_PIECES:
        said.append(f"The test split has only {plural(int(rows['n_pieces'].max()), 'piece')}: the intervals are rough.")
    estimated = [labels[name] for name in scored.loc[scored["estimated"].astype(bool), "variant"]]
    if estimated:
        said.append(
            f"≈: the log-likelihood of {joined(estimated)} is {ESTIMATED_BY}; the intervals include the standard error"
            " of the estimate, which cannot tell of what no chain has found."
        )
    if any("P" in Variant.parse(name).techniques for name in scored["variant"]):
        said.append(
            "P trains parts of the network first: its phases come on top of the epochs, so that variants with it"
            " have made more updates, in more seconds, than those without."
        )
    unscored = trained.loc[trained["mean"].isna() & ~trained["held_back"].astype(bool), "variant"]
    if len(unscored):
        said.append(f"Without a test score: {joined([labels[name] for name in unscored])}.")
    return said + _counting(rows, scored.iloc[0], labels)


def _survivors(row: pd.Series, labels: Mapping[str, str]) -> str:
    """That a variant which is called the best lost seeds."""
    if not (lost := lost_seeds(row)):
        return ""
    return (
        f"{labels[row['variant']]} is best over the {row['n_seeds']} of {row['seeds_asked']} seeds that have a score; "
        f"{joined(lost)}: the score of the survivors may flatter it."
    )


def _lost_elsewhere(others: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Which of the other variants lost seeds, and how."""
    lost = {labels[row["variant"]]: joined(told) for row in others.to_dict("records") if (told := lost_seeds(row))}
    return [f"Seeds without a score: {joined([f'{told} of {name}' for name, told in lost.items()])}."] if lost else []


def _repeated(scored: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Which variants lack studies that others have, and which have one seed where there is one study."""
    if scored["n_studies"].max() < ENOUGH_STUDIES:
        one = [labels[name] for name in scored.loc[scored["n_seeds"] == 1, "variant"]]
        who = "Every variant has" if len(one) == len(scored) else f"{joined(one)} {'has' if len(one) == 1 else 'have'}"
        only = "the interval is over pieces only, and nothing is said about other seeds"
        return [f"{who} one seed: {only}."] if one else []
    said = []
    lacking = scored[scored["n_studies"] < scored["studies_asked"]]
    for (ended, asked), rows in lacking.groupby(["n_studies", "studies_asked"]):
        names = joined([labels[name] for name in rows["variant"]])
        has, its = ("has", "its") if len(rows) == 1 else ("have", "their")
        told = f"{names} {has} a score in {ended} of {plural(asked, 'study', 'studies')}"
        without = f"{told}: the luck of {its} search is not in the interval, and no word is said."
        said.append(f"{told}." if ended >= ENOUGH_STUDIES else without)
    return said


def _counting(rows: pd.DataFrame, best: pd.Series, labels: Mapping[str, str]) -> list[str]:
    """That a baseline beats all variants."""
    counts = rows[rows["variant"].map(is_baseline) & rows["mean"].notna()]
    if counts.empty:
        return []
    count = counts.iloc[0]
    ahead = count["mean"] > best["mean"] if best["higher_is_better"] else count["mean"] < best["mean"]
    name = labels[count["variant"]]
    return [f"No variant beats counting: the baseline {name} is better than all of them."] if ahead else []
