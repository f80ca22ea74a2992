"""The chart of how often each note of a corpus is on."""

from collections.abc import Sequence

import altair as alt

from tasks.corpus.corpus import LOWEST_NOTE, NOTES
from tasks.report.charts.colours import OTHER, UNDECIDED
from tasks.report.charts.rolls import is_black
from tasks.report.charts.theme import layered, rows_of


def share_chart(shares: Sequence[float]) -> alt.LayerChart:
    """A bar for each of the 88 notes: the share of the frames in which it is on, %; those of black keys are grey."""
    rows = [
        {"low": note - 0.42, "high": note + 0.42, "zero": 0, "share": 100 * share, "colour": colour}
        for note, share in enumerate(shares, LOWEST_NOTE)
        for colour in (UNDECIDED if is_black(note) else OTHER,)
    ]
    octaves = [note for note in range(LOWEST_NOTE, LOWEST_NOTE + NOTES) if note % 12 == 0]
    axis = alt.Axis(values=octaves, labelExpr="'C' + (datum.value / 12 - 1)", grid=False)
    scale = alt.Scale(domain=[LOWEST_NOTE - 1, LOWEST_NOTE + NOTES], nice=False)
    x = alt.X("low:Q", title="note", scale=scale, axis=axis)
    y = alt.Y("share:Q", title="frames with it (%)", axis=alt.Axis(tickCount=4))
    colour = alt.Color("colour:N", scale=None)
    bars = alt.Chart(rows_of(rows)).mark_bar().encode(x=x, x2=alt.X2("high:Q"), y=y, y2=alt.Y2("zero:Q"), color=colour)
    return layered([bars], 380, 150)
