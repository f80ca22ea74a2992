"""How the charts look, and how an Altair chart becomes a piece of a page.

The colours are in `colours.py`.
"""

import json
import re
from collections.abc import Sequence
from math import ceil
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

from tasks.report.charts.colours import GRID, INK, MUTED
from tasks.report.charts.telling import with_attributes

# Sizes come from the font that vl-convert brings along; the page embeds a subset of the same one (fonts/README.md).
_FONT = "Liberation Sans"
# The widest fonts in use are a tenth wider. Where one of them is drawn all the same, labels need that much more room.
_WIDER = 0.12
# Pixels right of every plot: the last label of one axis needs some, and charts of equal rows stand side by side.
_RIGHT = 14
_AXIS = {
    "domainColor": MUTED,
    "gridColor": GRID,
    "labelColor": INK,
    "labelFontSize": 12,
    "tickColor": MUTED,
    "titleColor": MUTED,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "titlePadding": 8,
}
CONFIG: dict[str, Any] = {
    "aria": False,  # the page describes each chart as a whole, and its tables hold every number
    "background": "transparent",
    "font": _FONT,
    "axis": _AXIS,
    "axisY": {"domain": False, "ticks": False, "labelPadding": 8},
    "view": {"stroke": None},
}


def rows_of(rows: list[dict[str, Any]]) -> alt.Data:
    """Data for a chart, as plain rows: no limit on their number, no guessing of types.

    One string, because Altair copies and checks every value of a list again with each step of building a chart.
    """
    text = json.dumps(rows, allow_nan=False)
    return alt.Data(values=text, format={"type": "json"})  # type: ignore[no-untyped-call]


def layered(
    layers: list[alt.Chart], width: int, height: int, rows: Sequence[str] = (), of: str = "variant"
) -> alt.LayerChart:
    """Charts on top of each other, the first one lowest.

    Args:
        layers: the charts.
        width: in pixels, without axes.
        height: in pixels, without axes.
        rows: for a chart of equally high rows, the name of the subject of each row, from the top.
        of: the kind of these subjects, `variant` or `technique`.
    """
    chart = alt.LayerChart(width=width, height=height)
    chart.usermeta = {"of": of, "rows": json.dumps(list(rows))} if rows else {}
    chart.layer = [*layers]  # given at once, each would be copied twice: a tenth of a report's time
    return chart


def to_svg(chart: alt.LayerChart, name: str, description: str) -> Markup:
    """Draw a chart as one `<svg>` element for a page.

    Args:
        chart: any layered chart, without a configuration of its own.
        name: unique on the page; identifiers inside the drawing begin with it.
        description: of the chart's content, for screen readers.

    Returns:
        The element, `role="img"`, free of scripts, links and fixed pixel sizes. For the script of the page,
        `data-plot` has width and height of the area between the axes, and `data-rows` the rows of `layered`.
    """
    specification = chart.to_dict(validate=False)
    specification["config"] = CONFIG
    svg = str(vl_convert.vegalite_to_svg(specification))
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
    plot = re.search(r'transform="translate\(([\d.]+),.*?"M0,0h([\d.]+)v([\d.]+)', body)
    if box is None or plot is None:
        raise ValueError(f"chart {name}: the drawing has no viewBox, or no plot in it")
    width, height = map(float, box.groups())
    labels, inside, high = map(float, plot.groups())
    left, width = ceil(_WIDER * labels), max(width, labels + inside + _RIGHT)
    body = with_attributes(_rename_clips(body, name))
    opening = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} 0 {:g} {:g}" role="img" aria-label="{}" {}{}>'
    )
    size = Markup('style="max-width:{}px" data-plot="{:g} {:g}"').format(round(1.2 * (width + left)), inside, high)
    rows = Markup(' data-of="{of}" data-rows="{rows}"').format(**chart.usermeta) if chart.usermeta else ""
    return opening.format(-left, width + left, height, description, size, rows) + Markup(body)  # noqa: S704  # drawn by Vega, which escapes


def _rename_clips(body: str, name: str) -> str:
    """Number the clip paths by their order in this drawing.

    Vega counts on through the life of the process, which would make equal charts unequal.
    """
    numbers: dict[str, int] = {}

    def renamed(match: re.Match[str]) -> str:
        return f"{name}-clip{numbers.setdefault(match.group(), len(numbers))}"

    return re.sub(r"(?<=id=\")clip\d+|(?<=url\(#)clip\d+", renamed, body)
