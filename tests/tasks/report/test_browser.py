"""The pages in a real browser: nothing is asked of a network, nothing is complained of, nothing sticks out."""

import pytest

from tests.tasks.report.browser import browser, find_browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: the page is not opened"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("report")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder / "index.html"


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_the_corpora_opens_offline_and_fits(window, page, width, scheme):
    corpora = page.with_name("corpora.html")
    window.requests.clear()
    window.open(corpora, width, scheme=scheme)
    assert window.evaluate("document.documentElement.scrollWidth") == width
    rolls = [window.evaluate(f"document.querySelectorAll('.roll svg')[{i}].clientWidth") for i in range(3)]
    assert rolls == [
        window.evaluate(f"+document.querySelectorAll('.roll svg')[{i}].getAttribute('width')") for i in range(3)
    ], "a roll is never squeezed: it scrolls"
    note = "getComputedStyle(document.querySelector('.roll path[stroke=\"#0072b2\"]')).stroke"
    assert window.evaluate(note) == {"light": "rgb(0, 114, 178)", "dark": "rgb(98, 181, 238)"}[scheme]
    assert set(window.requests) == {corpora.as_uri()}
    assert window.complaints == []


def test_the_pages_lead_to_each_other(window, page):
    window.open(page, 1200)
    assert window.evaluate("document.querySelector('a[href^=corpora]').href") == page.with_name("corpora.html").as_uri()
    window.open(page.with_name("corpora.html"), 1200)
    assert window.evaluate("document.querySelector('a[href^=index]').href") == page.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_what_was_given_and_what_was_made_look_different(window, page, width, scheme):
    window.open(page, width, scheme=scheme)
    roll = "document.querySelector('#samples .roll svg')"
    assert window.evaluate(f"{roll}.clientWidth") == window.evaluate(f"+{roll}.getAttribute('width')")
    given, made = ("#7a808b", "#0072b2")
    strokes = [
        window.evaluate(f"getComputedStyle({roll}.querySelector('[stroke=\"{c}\"]')).stroke") for c in (given, made)
    ]
    text = "document.querySelector('#samples pre .{}')"
    colours = [window.evaluate(f"getComputedStyle({text.format(name)}).color") for name in ("given", "made")]
    assert (
        strokes
        == {
            "light": ["rgb(122, 128, 139)", "rgb(0, 114, 178)"],
            "dark": ["rgb(154, 161, 173)", "rgb(98, 181, 238)"],
        }[scheme]
    )
    assert len({*colours, window.evaluate("getComputedStyle(document.body).backgroundColor")}) == 3


def test_the_files_of_the_samples_are_where_the_page_says(window, page):
    window.open(page, 1280)
    links = "[...document.querySelectorAll('#samples a')].map(a => a.href)"
    targets = window.evaluate(links)
    assert len(targets) == 23
    for target in targets:
        assert (page.parent / target.removeprefix(page.parent.as_uri() + "/")).is_file()


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
