"""The changes between two versions in sentences: one on all scores, and one on each corpus."""

from collections import Counter
from collections.abc import Sequence

from tasks.report.compared.changes import Row
from tasks.report.compared.comparison import Comparison
from tasks.report.compared.settings import Data
from tasks.report.numbers.formatting import interval, joined, plural, signed
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.numbers.variant_titles import short_labels

_MOVED = ("regressed", "improved", "next to nothing")
_SAME = "the same"
LEGEND = (
    "Positive is better. Brackets hold 95 % intervals, those of all scores at once and those of all effects at once: "
    "of versions that differ by chance alone, about one comparison in twenty has a word among its scores, or fewer. "
    "What cannot be told lies within them, or rests on one study; the same are the very same trials."
)
EFFECTS = (
    "The effect of a technique is how much better variants are with it than without, averaged over the pairs that both "
    "versions have; improved says that it helps more than it did."
)


def headline(comparison: Comparison) -> str:
    """All scores in one sentence."""
    counts = Counter(row["verdict"] for row in comparison.scores)
    told = [f"{counts[word]} {word}" for word in ("regressed", "improved") if counts[word]]
    compared = sum(counts[word] for word in (*_MOVED, "cannot be told", _SAME))
    if not compared:
        return "No score can be compared"
    if told:
        return f"Of {plural(compared, 'score')} {joined(told)}"
    if counts[_SAME] == compared:
        return "Nothing changed: every score is of the very same trials"
    return "No score can be told to have changed"


def corpus_sentence(comparison: Comparison, data: Data) -> str:
    """The changes of the variants of a corpus, or the reason why they are not compared."""
    if data.state != _SAME:
        return f"{data.corpus}: {_not_compared(data)}."
    rows = [row for row in comparison.scores if row["corpus"] == data.corpus]
    labels = short_labels([row["variant"] for row in rows])
    parts = []
    for word in _MOVED:
        if mine := [row for row in rows if row["verdict"] == word]:
            moved = [f"{labels[row['variant']]} ({change_text(row)})" for row in mine]
            parts.append(
                f"{joined(moved)} {word}"
                if word != "next to nothing"
                else f"{joined(moved)} changed by next to nothing"
            )
    parts += _rest(rows)
    return f"{data.corpus}: {'; '.join(parts) or 'no variant'}."


def change_text(row: Row) -> str:
    """A change with the interval that its verdict rests on, or with the single interval of one study."""
    decimals = BY_NAME[row["metric"]].decimals
    ends = (row["low"], row["high"]) if min(row["studies"]) < 2 else (row["sim_low"], row["sim_high"])
    return f"{signed(row['change'], decimals)} {interval(*ends, decimals)}".rstrip()


def verdict_text(row: Row) -> str:
    """The verdict of a row, or why there is none because one study is too few."""
    if row["verdict"] == "cannot be told" and min(row["studies"]) < 2:
        return "one study"
    return str(row["verdict"])


def basis_text(row: Row) -> str:
    """The studies of both versions that a change rests on, and how many of them had the same draws.

    >>> basis_text({"studies": [5, 5], "alike": 0}), basis_text({"studies": [5, 20], "alike": 5})
    ('5 and 5 studies', '5 and 20 studies, 5 of the same draws')
    """
    first, second = row["studies"]
    told = f"{first} and {plural(second, 'study', 'studies')}"
    return f"{told}, {row['alike']} of the same draws" if row["alike"] else told


def _not_compared(data: Data) -> str:
    if data.state == "another":
        digests = f"{data.before[:12]} before, {data.after[:12]} after"
        return f"not compared, since the corpus is another one (digest {digests})"
    return (
        f"not compared, since {'the later' if data.state == 'only before' else 'the earlier'} version does not have it"
    )


def _rest(rows: Sequence[Row]) -> list[str]:
    counts = Counter(row["verdict"] for row in rows)
    told = []
    if counts["cannot be told"]:
        told.append(f"of {plural(counts['cannot be told'], 'variant')} nothing can be told")
    if counts[_SAME]:
        told.append(
            f"{plural(counts[_SAME], 'variant')} {'is' if counts[_SAME] == 1 else 'are'} of the very same trials"
        )
    for word in ("only before", "only after"):
        if counts[word]:
            told.append(f"{plural(counts[word], 'variant')} {'was' if word == 'only before' else 'is'} there {word}")
    if counts["no score"]:
        has = "has" if counts["no score"] == 1 else "have"
        told.append(f"{plural(counts['no score'], 'variant')} {has} no score to compare")
    return told
