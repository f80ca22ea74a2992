"""The part of the page on the diagnostics: their charts and their table."""

from dataclasses import dataclass

import altair as alt
from markupsafe import Markup

from tasks.report.charts.theme import to_svg
from tasks.report.charts.why import clipping_chart, gradient_panels, time_constant_chart, zero_chart
from tasks.report.findings import Findings
from tasks.report.numbers.variant_titles import is_baseline
from tasks.report.words.tables import Table
from tasks.report.words.why import reach_sentence, why_table


@dataclass(frozen=True)
class Why:
    """Everything that the page shows of the diagnostics on one corpus."""

    reach: str
    gradients: tuple[tuple[str, Markup], ...]
    zeros: Markup | None
    constants: Markup | None
    clipping: Markup | None
    table: Table


def render_why(findings: Findings, corpus: str, anchor: str) -> Why | None:
    """The part on a corpus; None if nothing was measured, because an older version trained its trials."""
    told = findings.diagnoses[corpus]
    if not told:
        return None
    ranked = findings.estimates.primary(corpus)
    best = next((row.variant for row in ranked.itertuples() if not is_baseline(row.variant)), None)
    panels = gradient_panels(told, best)
    return Why(
        reach=reach_sentence(told),
        gradients=tuple(
            (title, to_svg(chart, f"{anchor}-gradient-{i}", f"Share of the gradient left over the lag: {title}."))
            for i, (title, chart) in enumerate(panels)
        ),
        zeros=_drawn(zero_chart(told), f"{anchor}-zeros", "Share of zero states and gradients of each variant."),
        constants=_drawn(time_constant_chart(told), f"{anchor}-constants", "Time constants of the leaky units."),
        clipping=_drawn(clipping_chart(told), f"{anchor}-clipping", "Share of clipped updates of each epoch."),
        table=why_table(told),
    )


def _drawn(chart: alt.LayerChart | None, name: str, description: str) -> Markup | None:
    return None if chart is None else to_svg(chart, name, description)
