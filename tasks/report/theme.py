"""How the charts look, and how an Altair chart becomes a piece of a page.

Within a chart each colour has one meaning. The charts carry the light colours; `style.css` gives the dark ones by
selecting on the attribute (`[fill="#0072b2"]`), which is why no colour may be used that is not named here. The hues
follow Okabe and Ito, whose palette stays apart for colour-blind readers.
"""

import json
import re
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

INK, MUTED, GRID, PAPER = "#1a1c20", "#5c626d", "#e2e4e9", "#ffffff"
BETTER, WORSE, UNDECIDED = "#0072b2", "#d55e00", "#7a808b"
PLAIN, OTHER, THIRD, FOURTH = "#b8568c", "#0072b2", "#d55e00", "#00825f"
COLOURS = frozenset({INK, MUTED, GRID, PAPER, BETTER, WORSE, UNDECIDED, PLAIN, FOURTH})

_FONT = "Helvetica, Arial, sans-serif"
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


def layered(layers: list[alt.Chart], width: int, height: int) -> alt.LayerChart:
    """Charts on top of each other, the first one lowest; width and height in pixels, without axes."""
    return alt.LayerChart(layer=layers, width=width, height=height)


def to_svg(chart: alt.LayerChart, name: str, description: str) -> Markup:
    """Draw a chart as one `<svg>` element that stands inside a page.

    Args:
        chart: any layered chart, without a configuration of its own.
        name: that no other chart of the page has; identifiers inside the drawing begin with it.
        description: what it shows, for those who do not see it.

    Returns:
        The element, `role="img"`, free of scripts, links and fixed pixel sizes.
    """
    specification = chart.to_dict(validate=False)
    specification["config"] = CONFIG
    svg = str(vl_convert.vegalite_to_svg(specification))
    head, _, body = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    if box is None:
        raise ValueError(f"chart {name}: the drawing has no viewBox")
    width = float(box.group().split()[2])
    body = _rename_clips(body, name)
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" {} role="img" aria-label="{}" style="max-width:{}px">')
    return opening.format(Markup(box.group()), description, round(1.2 * width)) + Markup(body)  # noqa: S704  # drawn by Vega, which escapes


def _rename_clips(body: str, name: str) -> str:
    """Number the clip paths by their order in this drawing.

    Vega counts on through the life of the process, which would make equal charts unequal.
    """
    numbers: dict[str, int] = {}

    def renamed(match: re.Match[str]) -> str:
        return f"{name}-clip{numbers.setdefault(match.group(), len(numbers))}"

    return re.sub(r"(?<=id=\")clip\d+|(?<=url\(#)clip\d+", renamed, body)
