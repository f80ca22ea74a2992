"""The page in a real browser: nothing is asked of a network, nothing is complained of, nothing sticks out."""

import pytest

from tests.tasks.report.browser import browser, find_browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: the page is not opened"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory, files):
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_bytes(files["index.html"])
    return path


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_opens_offline_and_fits(window, page, width, scheme):
    window.requests.clear()
    window.open(page, width, scheme=scheme)
    assert window.evaluate("document.documentElement.scrollWidth") == width
    assert window.evaluate("document.title").startswith("Counterpoint")
    assert window.evaluate("document.querySelectorAll('svg').length") > 10
    assert set(window.requests) == {page.as_uri()}
    assert window.complaints == []


def test_dark_mode_reaches_the_drawings(window, page):
    ink = "getComputedStyle(document.querySelector('svg text[fill=\"#1a1c20\"]')).fill"
    window.open(page, 1200, scheme="light")
    light = window.evaluate(ink)
    window.open(page, 1200, scheme="dark")
    assert (light, window.evaluate(ink)) == ("rgb(26, 28, 32)", "rgb(233, 231, 226)")


def test_print_is_light_also_in_dark_mode(window, page):
    window.open(page, 800, scheme="dark", media="print")
    assert window.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert window.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
