"""The comparison as a page: one self-contained HTML file, like the report's."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts.bars import Scale, bar
from tasks.report.compared.changes import Row
from tasks.report.compared.comparison import Comparison
from tasks.report.compared.settings import Data, Setting
from tasks.report.compared.words import (
    EFFECTS,
    LEGEND,
    basis_text,
    change_text,
    corpus_sentence,
    headline,
    verdict_text,
)
from tasks.report.numbers.formatting import NOTHING, number, signed
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.numbers.variant_titles import TECHNIQUES, short_labels
from tasks.report.pages.templates import fill_template
from tasks.report.words.tables import Table
from tasks.telling.wording import visible

_CLASSES = {"improved": "better", "regressed": "worse"}


@dataclass(frozen=True)
class _Line:
    """A row of a table of results."""

    label: str
    before: str
    after: str
    change: str
    drawing: Markup
    verdict: str
    css: str
    basis: str
    lost: str = ""


@dataclass(frozen=True)
class _Section:
    """What the page shows of a corpus."""

    anchor: str
    name: str
    sentence: str
    heading: str
    scores: tuple[_Line, ...]
    effects: tuple[_Line, ...]


def render_comparison(comparison: Comparison) -> str:
    """The whole page as text."""
    return fill_template(
        "compared.html.jinja",
        headline=headline(comparison),
        names=[visible(name) for name in (comparison.before, comparison.after)],
        finished=comparison.finished,
        sections=[_section(comparison, data, i) for i, data in enumerate(comparison.data, start=1)],
        legend=LEGEND,
        effects=EFFECTS,
        resamples=f"{comparison.resamples:,}",
        campaign=_settings(comparison.campaign),
        code=_settings(comparison.code),
        data=_data(comparison.data),
        sizes=[(visible(each.corpus), _settings(each.differences)) for each in comparison.data if each.differences],
    )


def _section(comparison: Comparison, data: Data, index: int) -> _Section:
    scores = [row for row in comparison.scores if row["corpus"] == data.corpus]
    effects = [row for row in comparison.effects if row["corpus"] == data.corpus]
    labels = short_labels([row["variant"] for row in scores])
    return _Section(
        anchor=f"corpus-{index}",
        name=visible(data.corpus),
        sentence=visible(corpus_sentence(comparison, data)),
        heading=BY_NAME[scores[0]["metric"]].heading if scores else "",
        scores=_lines(scores, [visible(labels[row["variant"]]) for row in scores], signs=False),
        effects=_lines(
            effects, [f"{row['technique']} {TECHNIQUES.get(row['technique'], '')}" for row in effects], signs=True
        ),
    )


def _lines(rows: Sequence[Row], labels: Sequence[str], *, signs: bool) -> tuple[_Line, ...]:
    scale = Scale.over([0.0, *(row[end] for row in rows for end in ("change", "sim_low", "sim_high"))])
    return tuple(_line(row, label, scale, signs) for row, label in zip(rows, labels, strict=True))


def _line(row: Row, label: str, scale: Scale | None, signs: bool) -> _Line:
    write = signed if signs else number
    decimals, css = BY_NAME[row["metric"]].decimals, _CLASSES.get(row["verdict"], "")
    compared = row["verdict"] not in ("only before", "only after", "no score")
    lost = [f"{text} {when}" for text, when in zip(row.get("lost", ()), ("before", "after"), strict=False) if text]
    return _Line(
        label=visible(label).strip(),
        before=write(row["before"], decimals),
        after=write(row["after"], decimals),
        change=change_text(row) if compared else NOTHING,
        drawing=bar((row["change"], row["sim_low"], row["sim_high"]), scale, css, zero=True),
        verdict=verdict_text(row),
        css=css,
        basis=basis_text(row) if compared else "",
        lost="; ".join(lost),
    )


def _settings(settings: Sequence[Setting]) -> Table:
    rows = [(visible(each.name), visible(each.before) or NOTHING, visible(each.after) or NOTHING) for each in settings]
    return Table(("setting", "before", "after"), tuple(rows))


def _data(data: Sequence[Data]) -> Table:
    rows = [
        (visible(each.corpus), each.state, visible(each.before[:12]) or NOTHING, visible(each.after[:12]) or NOTHING)
        for each in data
    ]
    return Table(("corpus", "data", "digest before", "digest after"), tuple(rows))
