"""The part of the page that explains the techniques: one sentence for each, and two figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tasks.report.charts.lessons import clipping_lesson, leak_lesson
from tasks.report.charts.theme import to_svg
from tasks.report.teaching.lessons import SENTENCES, STEPS, THRESHOLD, values_left


@dataclass(frozen=True)
class Lessons:
    """Sentences by letter, the clipping threshold of the first figure, and the figures."""

    sentences: Mapping[str, str]
    threshold: str
    clipping: Markup
    leak: Markup


def lessons() -> Lessons:
    """What the page shows; the same in every report."""
    kept = f"{100 * values_left(0.98)[-1]:.0f} % of a value after {STEPS} steps at an update rate of 0.02"
    of_clipping = f"With clipping no update is longer than the threshold of {THRESHOLD:g}."
    of_leak = f"A leaky unit keeps {kept}; without a leak nothing is left after one."
    return Lessons(
        sentences=SENTENCES,
        threshold=f"{THRESHOLD:g}",
        clipping=to_svg(clipping_lesson(), "lesson-clipping", of_clipping),
        leak=to_svg(leak_lesson(), "lesson-leak", of_leak),
    )
