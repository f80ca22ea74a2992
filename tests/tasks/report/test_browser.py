"""The pages in a real browser: nothing asked of a network, nothing complained of, nothing sticking out or cut."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tasks.report.browser import Browser, find_browser
from tests.tasks.report.looks import axe_findings, cut_captions, font_of, idle_stops, leaving_texts, out_of_sight

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: the page is not opened"),
]
DRAWINGS = {"index.html": 15, "compared.html": 6, "versions.html": 6}
VIEWS = [("index.html", width, "light") for width in (390, 768, 1280, 1440, 1920)]
VIEWS += [(page, width, "light") for page in list(DRAWINGS)[1:] for width in (390, 1440)]
VIEWS += [(page, width, "dark") for page in DRAWINGS for width in (390, 1440) if page == "index.html" or width == 390]
WIDEST = '"DejaVu Sans", Verdana, sans-serif'
"""The widest of the common fonts: what is drawn where a page may not use its own."""


@dataclass(frozen=True)
class View:
    """A page that is open in a window of some width."""

    window: Browser
    page: Path
    width: int
    scheme: str
    requests: tuple[str, ...]

    def see(self, expression: str):
        return self.window.evaluate(expression)


@pytest.fixture(scope="module", params=VIEWS, ids=lambda view: "-".join(map(str, view)))
def view(request, window, folder):
    """Every page in windows of its own, opened once each, with all that is folded."""
    name, width, scheme = request.param
    window.requests.clear()
    window.open(folder / name, width, scheme=scheme)
    window.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    return View(window, folder / name, width, scheme, tuple(window.requests))


def test_it_opens_offline_and_fits(view):
    assert view.see("document.documentElement.scrollWidth") == view.width
    assert view.see("document.title").startswith("Counterpoint")
    assert view.see("document.querySelectorAll('svg').length") >= DRAWINGS[view.page.name]
    assert {url for url in view.requests if not url.startswith("data:font/")} == {view.page.as_uri()}
    assert view.window.complaints == []


def test_every_text_is_within_its_drawing(view):
    assert leaving_texts(view.window) == []
    assert leaving_texts(view.window, WIDEST) == []


def test_no_caption_is_cut(view):
    assert cut_captions(view.window) == []


def test_the_variant_and_the_main_number_of_a_row_stay_in_sight(view):
    assert (
        view.see("document.querySelectorAll(':is(.scores, .trend, .changes)').length") or view.page.name == "index.html"
    )
    assert out_of_sight(view.window) == []


def test_it_is_drawn_in_the_font_that_it_was_measured_in(view):
    assert view.see("[...document.fonts].map(font => font.weight + font.status).join()") == "400loaded,700loaded"
    if view.page.name == "index.html":
        selectors = ["#corpus-1 svg text", "#corpus-1 caption", "#corpus-1 figcaption"]
    else:
        selectors = ["caption"]
    for selector in selectors:
        assert font_of(view.window, selector)["isCustomFont"]


def test_the_keyboard_stops_only_where_something_scrolls(view):
    assert idle_stops(view.window) == 0
    scrolled = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert view.see(f"{scrolled}.every(e => e.querySelector('a[href]'))"), (
        "a link in it is what the arrow keys start from"
    )


def test_axe_finds_nothing_serious(view):
    # the first page takes seconds: every rule on a phone, unfolded on a desk (test_controls.py); dark colours once
    if view.page.name != "index.html" or (view.width, view.scheme) in ((390, "light"), (1440, "dark")):
        assert axe_findings(view.window, only="color-contrast" if view.scheme == "dark" else "") == "[]"


def test_dark_mode_reaches_the_drawings(view):
    attribute, colour, light, dark = (
        ("fill", "#1a1c20", "rgb(26, 28, 32)", "rgb(233, 231, 226)")
        if view.page.name == "index.html"
        else ("stroke", "#5c626d", "rgb(92, 98, 109)", "rgb(163, 169, 180)")
    )
    drawn = view.see(f"getComputedStyle(document.querySelector('svg [{attribute}=\"{colour}\"]')).{attribute}")
    background = view.see("getComputedStyle(document.body).backgroundColor")
    expected = {"light": (light, "rgb(255, 255, 255)"), "dark": (dark, "rgb(21, 23, 27)")}
    assert (drawn, background) == expected[view.scheme]


def test_a_roll_is_never_squeezed(view):
    rolls = "[...document.querySelectorAll('.roll svg')]"
    assert view.see(f"{rolls}.length") >= (2 if view.page.name == "index.html" else 0)
    assert view.see(f"{rolls}.every(roll => roll.clientWidth == +roll.getAttribute('width'))")


def test_what_was_given_and_what_was_made_look_different(view):
    if view.page.name == "index.html":
        given, made = ("#7a808b", "#0072b2")
        stroke = "getComputedStyle(document.querySelector('#samples .roll svg [stroke=\"{}\"]')).stroke"
        assert view.see(stroke.format(given)) != view.see(stroke.format(made))
        text = "getComputedStyle(document.querySelector('#samples pre .{}')).color"
        colours = [view.see(text.format(name)) for name in ("given", "made")]
        assert len({*colours, view.see("getComputedStyle(document.body).backgroundColor")}) == 3


def test_links_lead_to_the_files(window, folder, files):
    page = folder / "index.html"
    window.open(page, 1200)
    targets = window.evaluate("[...document.querySelectorAll('#samples a[download]')].map(a => a.href)")
    assert len(targets) == sum(name.startswith("samples/") for name in files)
    for target in targets:
        assert (page.parent / target.removeprefix(page.parent.as_uri() + "/")).is_file()
    window.evaluate("document.querySelector('.skip').click()")
    assert window.evaluate("document.activeElement.id") == "main", "the skip link moves the focus, not the view alone"


def test_print_is_light_also_in_dark_mode(window, folder):
    window.open(folder / "index.html", 800, scheme="dark", media="print")
    assert window.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert window.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
