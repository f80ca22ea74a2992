"""What makes training easier, in a sentence for each corpus: only what its interval tells from chance."""

from collections.abc import Sequence

from tasks.report.numbers.formatting import interval, joined, number
from tasks.report.training.ease import Ease
from tasks.report.training.measures import MEASURES, Row

_TOLD = ("epochs", "diverged", "untrained", "trained", "good")
"""The measures that the sentence is about: updates and seconds tell the same as epochs."""


def ease_sentences(ease: Ease, corpora: Sequence[str]) -> dict[str, str]:
    """For each corpus, what the techniques changed; "" if no two variants differ in one technique alone."""
    return {corpus: _sentence(ease.of(corpus).techniques) for corpus in corpora}


def _sentence(rows: Sequence[Row]) -> str:
    told = [row for row in rows if row["measure"] in _TOLD and row["verdict"]]
    sure = [row for row in told if row["verdict"] in ("better", "worse")]
    word = {(row["technique"], row["measure"]): row["verdict"] for row in told}
    clear: dict[str, list[str]] = {}
    for row in sure:
        lost = [word[row["technique"], end] for end in ("diverged", "untrained") if (row["technique"], end) in word]
        if row["measure"] != "trained" or row["verdict"] not in lost:  # what does not get lost trains: it is said once
            clear.setdefault(row["technique"], []).append(_clause(row))
        if (
            row["measure"] == "diverged"
            and row["verdict"] == "better"
            and word[row["technique"], "trained"] != "better"
        ):
            clear[row["technique"]][-1] += ", though it cannot be told that more of them train"
    letters = dict.fromkeys(row["technique"] for row in told)
    others = [letter for letter in letters if letter not in clear]
    parts = [f"with {letter} {joined(clauses)}" for letter, clauses in clear.items()]
    parts += [f"of {joined(others, 'or')} nothing can be told from chance"] if others else []
    return f"Ease of training: {'; '.join(parts)}." if parts else ""


def _clause(row: Row) -> str:
    """One change: `the same validation score takes 0.45 times the epochs [0.30, 0.68]`."""
    measure = MEASURES[row["measure"]]
    if measure.unit == "times":
        bounds = interval(row["sim_low"], row["sim_high"], measure.decimals)
        return f"the same validation score takes {number(row['value'], measure.decimals)} times the epochs {bounds}"
    more = row["value"] > 0
    ends = (row["sim_low"], row["sim_high"]) if more else (-row["sim_high"], -row["sim_low"])
    how = {"diverged": "diverge", "untrained": "learn nothing", "trained": "train", "good": "are good"}[row["measure"]]
    points = number(abs(row["value"]), measure.decimals)
    return f"{points} % {'more' if more else 'fewer'} of the draws {how} {interval(*ends, measure.decimals)}"
