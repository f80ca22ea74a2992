"""The result in docs/default.md and README: tables and sentences of the newest report of a store, in Markdown.

Run it as `python -m benchmarks.readme_result STORE` after the main job has filled the store.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.reports import newest
from tasks.report.numbers.formatting import interval, number, signed
from tasks.report.numbers.metrics import BY_NAME, METRICS
from tasks.report.numbers.variant_titles import is_baseline, short_labels
from tasks.report.numbers.verdicts import VERDICT_WORDS, effect_verdict
from tasks.report.training.measures import MEASURES

WORDS = {**VERDICT_WORDS, "unreplicated": ""}
TOLD = {"epochs": "times the epochs to the same score", "diverged": "draws that diverge, points of percent"}
Row = Mapping[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def scores(document: Row, corpus: str) -> str:
    """Every variant's first metric, and the difference to plain SGD, each with its own interval."""
    metric = METRICS[document["corpora"][corpus]["kind"]][0]
    rows = [row for row in document["scores"] if (row["corpus"], row["metric"]) == (corpus, metric.name)]
    labels = short_labels(row["variant"] for row in rows if not is_baseline(row["variant"]))
    cells = []
    for row in rows:
        score = f"{number(row['mean'], metric.decimals)} {interval(row['low'], row['high'], metric.decimals)}"
        bounds = interval(row["diff_low"], row["diff_high"], metric.decimals)
        gain = "" if row["difference"] is None else f"{signed(row['difference'], metric.decimals)} {bounds}"
        cells.append((labels.get(row["variant"], row["variant"]), score, gain))
    return table((corpus, metric.measure, "better than plain SGD by"), cells)


def effects(document: Row) -> str:
    """What adding a technique changes, with the intervals that decide the words; then what is easier to train."""
    corpora = list(document["corpora"])
    asked = [row["technique"] for row in document["effects"] if row["n_pairs"]]
    rows = []
    for letter in dict.fromkeys(asked):
        rows.append((f"{letter}, test score", *(_effect(document, corpus, letter) for corpus in corpora)))
    for name, words in TOLD.items():
        for letter in dict.fromkeys(asked):
            rows.append((f"{letter}, {words}", *(_ease(document, corpus, letter, name) for corpus in corpora)))
    return table(("", *corpora), rows)


def _effect(document: Row, corpus: str, letter: str) -> str:
    metric = METRICS[document["corpora"][corpus]["kind"]][0]
    for row in document["effects"]:
        if (row["corpus"], row["metric"], row["technique"]) == (corpus, metric.name, letter) and row["n_pairs"]:
            decimals = BY_NAME[row["metric"]].decimals
            bounds = interval(row["sim_low"], row["sim_high"], decimals)
            return f"{WORDS[effect_verdict(row, decimals)]} {signed(row['effect'], decimals)} {bounds}"
    return "not tried"


def _ease(document: Row, corpus: str, letter: str, name: str) -> str:
    for row in document["ease"]["techniques"]:
        if (row["corpus"], row["measure"], row["technique"]) == (corpus, name, letter) and row["n_pairs"]:
            decimals = MEASURES[name].decimals
            value = number(row["value"], decimals) if name == "epochs" else signed(row["value"], decimals)
            return f"{WORDS[row['verdict']]} {value} {interval(row['sim_low'], row['sim_high'], decimals)}"
    return "not tried"


def sentences(document: Row) -> Iterator[str]:
    """The answer on each corpus, a point each; then the warnings and what is said of the search."""
    answers = document["answers"]
    told = [" ".join(answer[part] for part in ("best", "others") if answer[part]) for answer in answers.values()]
    yield "\n".join(wrapped(each, "- ") for each in told)
    for corpus, answer in answers.items():
        parts = (answer["techniques"], answer["alone"], document["ease"]["answers"][corpus], *answer["warnings"])
        yield wrapped(f"{corpus}: {' '.join(part for part in parts if part)}")
    yield wrapped(document["search"])


def wrapped(text: str, mark: str = "") -> str:
    """Lines of a paragraph; a number stays beside its percent sign."""
    together = text.replace(" %", "\N{NO-BREAK SPACE}%")
    lines = textwrap.wrap(together, 118, initial_indent=mark, subsequent_indent=" " * len(mark), break_on_hyphens=False)
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def main() -> None:
    document = newest(sys.argv[1])
    parts = [scores(document, corpus) for corpus in document["corpora"]]
    print("\n\n".join([*parts, effects(document), *sentences(document)]))


if __name__ == "__main__":
    main()
