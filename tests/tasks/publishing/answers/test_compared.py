"""The comparison as it is printed, also where the terminal is narrow."""

import pytest

from tasks.publishing.answers.compared import comparison_blocks, comparison_text
from tasks.report.compared import compare_results
from tests.tasks.report.compared.versions import LEVELS, C, version

LONG = "lstm/bernoulli/SGD+CLRM"


@pytest.fixture(scope="module")
def made():
    after = version(2, LEVELS | {C: -9.6, LONG: -9.0}, rungs=3)
    return compare_results(version(1, LEVELS | {LONG: -9.0}), after, ("first", "sec\x1bond"), 200)


def test_it_says_what_changed_and_cannot_command_a_terminal(made):
    text = comparison_text(made)
    assert text.startswith("Of 5 scores 1 regressed: first -> sec[U+001B]ond\n")
    assert "asked, rungs: – -> 3" in text
    (line,) = [line for line in text.splitlines() if line.startswith(f"{C} ")]
    assert line.rstrip().endswith("regressed")
    assert "effect of C " in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [118, 80])
def test_it_fits(made, width):
    lines = "".join(block.fitted(width) for block in comparison_blocks(made)).splitlines()
    assert max(map(len, lines)) <= width
    assert sum(line.rstrip().endswith("cannot be told") for line in lines) >= 4


def test_of_other_data_there_is_no_table():
    text = comparison_text(compare_results(version(1), version(1, digest="e" * 64), ("a", "b")))
    assert "songs: not compared, since the corpus is another one" in text
    assert "before   " not in text
