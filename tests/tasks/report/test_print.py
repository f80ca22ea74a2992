"""The pages on paper, A4: no table is cut, no row is torn, and what only a screen can do is not there."""

import base64
import re

import pytest

from tests.tasks.report.browser import find_browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: nothing is printed"),
]
A4 = round((210 - 2 * 14) / 25.4 * 96)
"""Pixels between the margins of A4, as the style sheet has them."""


@pytest.mark.parametrize("name", ["index.html", "compared.html", "versions.html"])
def test_no_table_is_cut_on_paper(window, folder, name):
    window.open(folder / name, A4, media="print")
    wide = f"filter(each => each.getBoundingClientRect().right > {A4} + 1).map(each => each.outerHTML.slice(0, 200))"
    assert window.evaluate(f"[...document.querySelectorAll('table, svg, pre')].{wide}") == []
    scrolled = "[...document.querySelectorAll('.scroll')].filter(each => getComputedStyle(each).overflowX != 'visible')"
    assert window.evaluate(f"{scrolled}.length") == 0
    rows = "[...new Set([...document.querySelectorAll('tbody tr')].map(row => getComputedStyle(row).breakInside))]"
    assert window.evaluate(rows) == ["avoid"]
    buttons = "[...new Set([...document.querySelectorAll('.sort')].map(each => getComputedStyle(each).display))]"
    assert window.evaluate(buttons) == ["contents"], "the headings that Chromium repeats hold no button"
    controls = "[...document.querySelectorAll('.copy, .chooser, .axis')].filter(each => each.checkVisibility())"
    assert window.evaluate(f"{controls}.length") == 0


def test_it_prints_on_whole_pages_of_a4(window, folder):
    window.open(folder / "compared.html", 1280)
    printed = window.call("Page.printToPDF", preferCSSPageSize=True)["data"]
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", base64.b64decode(printed))
    assert {tuple(round(float(side)) for side in box) for box in boxes} == {(595, 842)}
