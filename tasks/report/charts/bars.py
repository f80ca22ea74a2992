"""An interval as a small drawing in the cell of a table; all cells of a column share one scale.

The drawing is SVG without text, and the page inserts it unescaped. Its colours are named in the style sheet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

_WIDTH, _HEIGHT, _EDGE = 150, 14, 5
_INK = {"better": "#0072b2", "worse": "#d55e00", "": "#5c626d"}


@dataclass(frozen=True)
class Scale:
    """Maps numbers to places in the drawing."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> "Scale | None":
        """The scale that holds all finite values; None if there are none.

        >>> Scale.over([1.0, float("nan"), 3.0])
        Scale(low=1.0, high=3.0)
        """
        finite = [float(value) for value in values if value is not None and isfinite(value)]
        return cls(min(finite), max(finite)) if finite else None

    def place(self, value: float) -> float:
        """Pixels from the left; a number beyond the scale is at its edge."""
        share = (
            0.5 if self.high == self.low else (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        )
        return round(_EDGE + share * (_WIDTH - 2 * _EDGE), 1)


def bar(values: Sequence[float | None], scale: Scale | None, colour: str = "", zero: bool = False) -> Markup:
    """A point with its interval.

    Args:
        values: value, low and high; nothing is drawn without a value, and a point alone without ends.
        scale: of the column.
        colour: `better`, `worse` or neither.
        zero: draw where zero is.
    """
    value, low, high = (float("nan") if each is None else float(each) for each in values)
    if scale is None or not isfinite(value):
        return Markup("")
    middle, ink, parts = _HEIGHT / 2, _INK[colour], []
    if zero:
        parts.append(f'<path d="M{scale.place(0.0)},0v{_HEIGHT}" stroke="#7a808b" stroke-width="1"/>')
    if isfinite(low) and isfinite(high):
        start, end = scale.place(low), scale.place(high)
        parts.append(f'<path d="M{start},{middle}H{end}" stroke="{ink}" stroke-width="2"/>')
    parts.append(f'<circle cx="{scale.place(value)}" cy="{middle}" r="3.5" fill="{ink}"/>')
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    drawing = f'<svg class="bar" aria-hidden="true" {size}>{"".join(parts)}</svg>'
    return Markup(drawing)  # noqa: S704  # numbers and our own colours
