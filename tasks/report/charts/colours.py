"""The colours of all drawings.

Within a drawing each colour has one meaning. Drawings have the light colours. `style.css` gives the dark ones, by
selecting on the attribute (`[fill="#0072b2"]`), so only colours that are named here may be used. The hues follow Okabe
and Ito, whose palette is distinguishable for colour-blind readers.
"""

INK, MUTED, GRID, PAPER = "#1a1c20", "#5c626d", "#e2e4e9", "#ffffff"
BETTER, WORSE, UNDECIDED = "#0072b2", "#d55e00", "#7a808b"
FIRST, OTHER, THIRD, FOURTH = "#a23a75", "#0072b2", "#d55e00", "#00573f"
# Where two kinds of lines or points lie in one picture they differ in shape too: plain SGD, and the variant.
SQUARE, CIRCLE = "square", "circle"
COLOURS = frozenset({INK, MUTED, GRID, PAPER, BETTER, WORSE, UNDECIDED, FIRST, FOURTH})
