"""The comparison of two versions for a terminal or a log, with the numbers and sentences of its page."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.table import Table

from infra.machine.answer import Answer
from tasks.publishing.terminal import bare_table, layouts_of
from tasks.report.compared import Comparison
from tasks.report.compared.changes import Row
from tasks.report.compared.settings import Setting
from tasks.report.compared.words import (
    EFFECTS,
    LEGEND,
    change_text,
    corpus_sentence,
    headline,
    verdict_text,
)
from tasks.report.numbers.formatting import NOTHING, number, signed
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.numbers.variant_titles import short_labels
from tasks.telling.blocks import Block, paragraphs, shown
from tasks.telling.wording import plural, visible

_MOST_SETTINGS = 20


@dataclass(frozen=True)
class Compared(Answer):
    """A comparison of two versions, and its page.

    Attributes:
        comparison: of the two versions.
        page: path of its page; None if none was written.
    """

    schema: ClassVar[str] = "comparison"
    comparison: Comparison
    page: Path | None

    def __str__(self) -> str:
        text = comparison_text(self.comparison)
        return text if self.page is None else f"{text}\n{self.page}"

    def to_json(self) -> dict[str, Any]:
        """The contents of `comparison.json`, which has the same schema."""
        document: dict[str, Any] = json.loads(self.comparison.to_json())
        return document


def comparison_text(comparison: Comparison) -> str:
    """The text of a comparison."""
    return shown(comparison_blocks(comparison)).rstrip("\n")


def comparison_blocks(comparison: Comparison) -> Iterator[Block]:
    """The headline, the differences in settings and code, the results of each corpus, and a legend."""
    yield paragraphs([f"{headline(comparison)}: {visible(comparison.before)} -> {visible(comparison.after)}"])
    yield _settings("asked", comparison.campaign)
    yield _settings("code", comparison.code)
    for data in comparison.data:
        sentence = visible(corpus_sentence(comparison, data))
        scores = [row for row in comparison.scores if row["corpus"] == data.corpus]
        effects = [row for row in comparison.effects if row["corpus"] == data.corpus]
        yield Block((sentence,), layouts_of(_table(scores, effects, ends) for ends in (" [", "\n[")) if scores else ())
    if comparison.scores:
        yield paragraphs([LEGEND, EFFECTS] if comparison.effects else [LEGEND])


def _settings(what: str, settings: Sequence[Setting]) -> Block:
    lines = [
        f"{what}, {visible(each.name)}: {visible(each.before) or NOTHING} -> {visible(each.after) or NOTHING}"
        for each in settings[:_MOST_SETTINGS]
    ]
    if len(settings) > _MOST_SETTINGS:
        lines.append(f"{what}: {plural(len(settings) - _MOST_SETTINGS, 'more setting')} differ, `--to DIR` has them")
    return Block(tuple(lines or [f"{what}: the same"]), indent=4)


def _table(scores: Sequence[Row], effects: Sequence[Row], ends: str) -> Table:
    """The table of a corpus: variants, then techniques, with the interval beside the change or below it."""
    metric = BY_NAME[scores[0]["metric"]]
    table = bare_table(f"{metric.label}\n{metric.unit}".rstrip(), "before", "after", "change", "verdict", right=4)
    table.columns[-1].justify = "left"
    labels = short_labels([row["variant"] for row in scores])
    named = [(visible(labels[row["variant"]]), row, number) for row in scores]
    named += [(f"effect of {visible(row['technique'])}", row, signed) for row in effects]
    for label, row, write in named:
        decimals = BY_NAME[row["metric"]].decimals
        change = change_text(row).replace(" [", ends) if row["verdict"] != "the same" else signed(0.0, decimals)
        table.add_row(label, write(row["before"], decimals), write(row["after"], decimals), change, verdict_text(row))
    return table
