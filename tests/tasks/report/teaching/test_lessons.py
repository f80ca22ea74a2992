"""The two figures that explain clipping and leaky units: their numbers follow the formulas."""

import re

import pytest

from tasks.report.charts.colours import COLOURS
from tasks.report.pages.lessons import lessons
from tasks.report.teaching.lessons import RETENTIONS, SENTENCES, STEPS, THRESHOLD, clipped_norms, values_left


def test_clipping_cuts_to_the_threshold_and_leaves_what_is_shorter():
    norms = [0.0, 3.0, 14.99, 15.0, 15.01, 60.0]
    assert clipped_norms(norms) == pytest.approx([min(norm, THRESHOLD) for norm in norms])


@pytest.mark.parametrize("retention", RETENTIONS.values())
def test_a_leak_keeps_its_share_at_each_step(retention):
    assert values_left(retention) == pytest.approx([retention**step for step in range(STEPS + 1)], abs=1e-12)


@pytest.mark.integration
def test_the_figures_are_drawn_and_every_technique_of_the_paper_has_a_sentence():
    shown = lessons()
    assert set(shown.sentences) == set("CLRM") == set(SENTENCES)
    for drawing, names in ((shown.clipping, ("with clipping", "without clipping")), (shown.leak, RETENTIONS)):
        labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
        assert set(names) <= set(labels)
        assert set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', drawing)) <= COLOURS
    assert 'aria-label="A leaky unit keeps 36 % of a value after 50 steps' in shown.leak
