"""What the page's script adds, in a real browser: sorting, choosing, the axis, values, copies, and the address."""

import csv
import io
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.tasks.report.browser import find_browser
from tests.tasks.report.evil import VARIANT
from tests.tasks.report.inert import EVIL
from tests.tasks.report.looks import axe_findings, leaving_texts

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine: the page is not opened"),
]
TABLE = "document.getElementById('table-1a').closest('table')"
HEADING = f"{TABLE}.tHead.rows[0].cells[%d].querySelector('button')"
COLUMN = f"[...{TABLE}.tBodies[0].rows].filter(row => !row.hidden).map(row => row.cells[%d].innerText)"
FOREST = "document.querySelector('#corpus-1 svg[data-rows]')"
CURVES = "document.querySelector('#corpus-1 .curves')"
SEEN = "[...document.querySelectorAll('{}')].filter(each => each.checkVisibility())"


@pytest.fixture
def see(window, folder):
    """The first page as it comes, and what an expression is in it."""
    window.open(folder / "index.html", 1280)
    return window.evaluate


def _address(see) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(see("location.href")).query)


def _click(see, fieldset: str, name: str) -> None:
    box = f"[...document.querySelectorAll('.chooser fieldset')].find(f => f.firstChild.textContent == '{fieldset}')"
    see(f"[...{box}.querySelectorAll('label')].find(label => label.textContent.trim() == '{name}').click()")


def _numbers(texts: list[str]) -> list[float]:
    return [float(text.split()[0].replace("−", "-")) for text in texts if text.strip("–")]


def _variants(see, selector: str) -> set[str]:
    return set(see(f"{SEEN.format(selector)}.map(each => each.dataset.variant)"))


def test_a_heading_sorts_and_the_third_time_gives_back_the_order_of_the_page(see, window, folder):
    first, baselines = see(COLUMN % 0), see(f"{TABLE}.querySelectorAll('.baseline').length")
    see(f"{HEADING % 2}.click()")
    upwards = _numbers(see(COLUMN % 2))
    assert upwards == sorted(upwards) != upwards[::-1]
    assert see(COLUMN % 0)[-baselines:] == first[-baselines:], "baselines stay below"
    assert see(f"{HEADING % 2}.parentElement.ariaSort") == "ascending"
    see(f"{HEADING % 2}.click()")
    assert _numbers(see(COLUMN % 2)) == upwards[::-1]
    assert _address(see) == [("sort", "table-1a:2:down")]
    window.open(folder / "index.html", 1280, query="?sort=table-1a:2:down&sort=nothing:1:up&sort=table-1a:99:up&x=%22")
    assert window.complaints == []
    window.open(folder / "index.html", 1280, query="?sort=table-1a:2:down")
    assert _numbers(see(COLUMN % 2)) == upwards[::-1], "the address remembers it"
    see(f"{HEADING % 2}.click()")
    assert see(COLUMN % 0) == first
    assert _address(see) == []


def test_what_is_hidden_goes_from_tables_charts_and_panels_and_the_address_remembers_it(see, window, folder):
    height = f"{FOREST}.viewBox.baseVal.height"
    labels = f"{SEEN.format('#corpus-1 svg[data-rows] text')}.map(text => text.textContent)"
    before = see(height), see(f"{SEEN.format('#corpus-1 .curves figure')}.length")
    _click(see, "techniques", "M")
    _click(see, "output models", "nade")
    _click(see, "variants", "rnn/bernoulli/SGD+CL")
    _click(see, "corpora", "folk-tunes-words")
    window.open(folder / "index.html", 1280, query=f"?{urlsplit(see('location.href')).query}&theirs=1")
    assert {("hide", "technique:M"), ("hide", "corpus:folk-tunes-words"), ("theirs", "1")} < set(_address(see))
    gone = {"rnn/nade/SGD", "rnn/bernoulli/SGD+CL"}
    for selector in ("#corpus-1 tr[data-variant]", "#corpus-1 svg [data-variant]"):
        shown = _variants(see, selector)
        assert {"rnn/bernoulli/SGD", "rnn/bernoulli/SGD+CR"} <= shown
        assert not {name for name in shown if name in gone or "M" in name.partition("+")[2]}, selector
    drawn = see(labels)
    assert "rnn/bernoulli/SGD+CR" in drawn
    assert not [text for text in drawn if re.fullmatch(r"rnn/(nade/.*|bernoulli/SGD\+(CL|\w*M))", text)]
    assert not [text for text in drawn if text.startswith("M ")]
    rows, plot = see(f"JSON.parse({FOREST}.dataset.rows)"), see(f"{FOREST}.dataset.plot.split(' ')[1]")
    lost = [name for name in rows if name in gone or name.startswith("rnn/nade") or "M" in name.partition("+")[2]]
    assert before[0] - see(height) == pytest.approx(len(lost) * float(plot) / len(rows))
    assert see(f"{SEEN.format('#corpus-1 .curves figure')}.length") < before[1]
    assert see(f"{SEEN.format('#corpus-3, [data-corpus=folk-tunes-words]')}.length") == 0
    assert see(f"{SEEN.format('#effects')}[0].closest('table').rows[0].innerText").count("folk-tunes") == 1
    assert see("document.querySelector('nav > [role=status]').textContent").startswith("hidden: folk-tunes-words, M")
    assert leaving_texts(window) == []
    see("[...document.querySelectorAll('.chooser button')].find(b => b.textContent == 'Show all').click()")
    assert (see(height), see(f"{SEEN.format('#corpus-1 .curves figure')}.length")) == before
    assert _address(see) == [("theirs", "1")]


@pytest.mark.parametrize(
    "query", ["", "?hide=technique:M&hide=technique:L&hide=output:nade&hide=corpus:folk-tunes-words"]
)
def test_what_a_link_leads_to_is_not_under_the_contents(see, window, folder, query):
    window.open(folder / "index.html", 1024, query=query)
    for place in ("table-1a", "corpus-1-title", "samples-title"):
        see(f"location.hash = '{place}'")
        bottom = see("document.querySelector('nav').getBoundingClientRect().bottom")
        assert 90 < bottom <= see(f"document.getElementById('{place}').getBoundingClientRect().top") < 300


def test_rows_of_a_chart_keep_their_places_beside_their_names(see):
    _click(see, "techniques", "C")
    _click(see, "techniques", "R")
    middle = "(box => Math.round(box.y + box.height / 2))"
    boxes = f"{SEEN.format('#corpus-1 svg[data-rows]')}[0]"
    seen = "t => t.checkVisibility() && /SGD/.test(t.textContent)"
    names = f"[...{boxes}.querySelectorAll('.role-axis-label text')].filter({seen})"
    points = f"[...{boxes}.querySelectorAll('[data-told]')].filter(p => p.checkVisibility())"
    at = dict(see(f"{names}.map(t => [t.textContent, {middle}(t.getBoundingClientRect())])"))
    told = see(f"{points}.map(p => [p.dataset.told.split('\\n')[0], {middle}(p.getBoundingClientRect())])")
    assert len(told) >= 4
    assert all(abs(at[name] - y) <= 3 for name, y in told)


def test_the_axis_goes_from_updates_to_epochs_and_seconds(see, window, folder):
    line = f"{CURVES}.querySelector('path[data-axes]')"
    texts = f"[...{CURVES}.querySelector('svg').querySelectorAll('text')].map(text => text.textContent)"
    before = see(f"{line}.getAttribute('d')")
    see(f"[...{CURVES}.previousElementSibling.querySelectorAll('input')].find(i => i.value == 'epochs').click()")
    assert _address(see) == [("x", "epochs")]
    axes, path = see(f"{line}.dataset.axes"), see(f"{line}.getAttribute('d')")
    most = see(
        f"Math.max(...[...{CURVES}.querySelectorAll('[data-axes]')].flatMap(m => JSON.parse(m.dataset.axes).epochs))"
    )
    epochs = see(f"JSON.parse({line}.dataset.axes).epochs")
    width = float(see(f"{CURVES}.querySelector('svg').dataset.plot.split(' ')[0]"))
    xs, ys = ([float(pair[i]) for pair in re.findall(r"[ML]([-\d.e]+),([-\d.e]+)", path)] for i in (0, 1))
    assert xs == pytest.approx([epoch * width / most for epoch in epochs], abs=0.01)
    assert ys == [float(y) for y in re.findall(r",([-\d.e]+)", before)], "only places on the axis change"
    assert "epochs" in see(texts)
    assert "updates" not in see(texts)
    assert str(10 * (int(most) // 10)) in see(texts)
    window.open(folder / "index.html", 1280, query="?x=seconds")
    assert see(f"{CURVES}.previousElementSibling.querySelector('input:checked').value") == "seconds"
    assert "seconds" in axes
    assert "seconds" in see(texts)
    see(f"[...{CURVES}.previousElementSibling.querySelectorAll('input')].find(i => i.value == 'updates').click()")
    assert _address(see) == []
    back = see(f"{line}.getAttribute('d')")
    numbers = ([float(part) for part in re.findall(r"[-\d.e]+", each)] for each in (back, before))
    assert next(numbers) == pytest.approx(next(numbers), abs=0.02)


def test_values_are_told_where_the_pointer_is_and_with_the_arrow_keys(see, window):
    spot = f"""(() => {{ {FOREST}.scrollIntoView({{block: 'center'}});
      const mark = {FOREST}.querySelectorAll('[data-told]')[2].getBoundingClientRect();
      return [mark.x + mark.width / 2, mark.y + mark.height / 2] }})()"""
    x, y = see(spot)
    window.call("Input.dispatchMouseEvent", type="mouseMoved", x=x + 4, y=y)
    tip = "document.querySelector('.tip')"
    assert re.fullmatch(
        r"rnn/bernoulli/SGD\+CR\n−8\.\d{3} \[−8\.\d{3}, −7\.\d{3}\] nats per frame", see(f"{tip}.textContent")
    )
    assert see(f"{tip}.checkVisibility() && {tip}.getBoundingClientRect().right < innerWidth")
    window.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=5)
    assert not see(f"{tip}.checkVisibility()")
    see("document.getElementById('figure-1a').focus()")
    told = []
    for _ in range(2):
        window.call(
            "Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39
        )
        told.append(see(f"{tip}.textContent"))
    assert [text.split("\n")[0] for text in told] == ["rnn/nade/SGD+CM", "rnn/nade/SGD"]


@pytest.fixture
def copied(see, window):
    """A table as it is copied, by format."""
    see("Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { window.last = text }}})")

    def copy(table: str, name: str) -> str:
        fold = f"{table}.closest('.scroll').nextElementSibling"
        return see(f"[...{fold}.querySelectorAll('button')].find(b => b.textContent == '{name}').click(), window.last")

    return copy


def test_a_table_is_copied_as_it_stands(see, copied):
    _click(see, "techniques", "M")
    _click(see, "variants", "rnn/bernoulli/SGD")
    see(f"{HEADING % 1}.click()")
    shown = see(COLUMN % 0)
    rows = list(csv.DictReader(io.StringIO(copied(TABLE, "CSV"))))
    assert [row["variant"] for row in rows] == [name.split(" ")[0] for name in shown]
    score = "log-likelihood (nats per frame)"
    heads = ["variant", "variant: note", score, f"{score}: low", f"{score}: high", "better than plain SGD by"]
    assert list(rows[0])[:6] == heads
    assert {row["variant: note"] for row in rows} == {"", "baseline"}
    values = [float(row[score]) for row in rows if row[score]]
    assert len(values) > 8
    assert all(float(row[f"{score}: low"]) < float(row[score]) < float(row[f"{score}: high"]) for row in rows[:8])
    assert any(row["better than plain SGD by: note"] == "(1 seed unpaired)" for row in rows)
    markdown, latex = copied(TABLE, "Markdown").splitlines(), copied(TABLE, "LaTeX").splitlines()
    assert markdown[1] == "|:---|---:|---:|---:|---:|---:|---:|---:|"
    assert len(markdown) == 2 + len(rows)
    assert latex[0] == r"\begin{tabular}{lrrrrrrr}"
    assert len(latex) == 6 + len(rows)
    row = re.compile(r"rnn/bernoulli/SGD\+CR & \$-\$8\.\d+ \[\$-\$8\.\d+, \$-\$7\.\d+\] & .* \\\\")
    assert len([line for line in latex if row.fullmatch(line)]) == 1
    effects = list(csv.DictReader(io.StringIO(copied("document.getElementById('effects').closest('table')", "CSV"))))
    assert effects[0]["bach-chorales nats per frame: verdict"] == "helps"
    assert effects[0]["bach-chorales nats per frame: note"] == "7 pairs; 4 studies".replace(";", ",")


def test_rows_without_a_heading_keep_their_names_and_drawings_are_no_columns(see, copied, window, folder):
    told = copied("document.querySelector('#corpora table')", "CSV").splitlines()
    assert told[:2] == [",train,valid,test", "pieces,296,37,37"]
    window.open(folder / "compared.html", 1280)
    see("Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { window.last = text }}})")
    see("document.querySelector('.copy button').click()")
    assert see("window.last").splitlines()[0] == "variant,change,change: low,change: high,verdict,before,after,rests on"


def test_axe_finds_nothing_serious_with_everything_unfolded(see, window):
    see("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert axe_findings(window) == "[]"


def test_everything_is_reached_and_worked_by_the_keyboard(see, window):
    def press(key: str, code: int) -> None:
        text = {"Enter": "\r", " ": " "}.get(key, "")
        window.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        window.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    see("document.querySelector('.chooser summary').focus()")
    press("Enter", 13)
    assert see("document.querySelector('.chooser').open")
    press("Tab", 9)
    assert see("document.activeElement.type") == "checkbox"
    press(" ", 32)
    assert _address(see) == [("hide", "corpus:bach-chorales")]
    press("Escape", 27)
    assert see("document.activeElement === document.querySelector('.chooser summary')")
    see("document.querySelector('#effects').closest('table').querySelector('.sort').focus()")
    assert see("getComputedStyle(document.activeElement).outlineStyle") == "solid", "the focus is seen"
    press("Enter", 13)
    assert see("document.activeElement.parentElement.ariaSort") == "ascending"


def test_without_scripts_no_control_is_there(window, folder):
    window.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        window.open(folder / "index.html", 1280)
        assert window.evaluate("document.querySelectorAll('button:not(.term), input, .copy').length") == 0
        assert window.evaluate("document.querySelectorAll('table').length") > 10
    finally:
        window.call("Emulation.setScriptExecutionDisabled", value=False)


def test_names_of_other_people_stay_text_in_everything_that_the_script_makes(window, tmp_path, evil_page):
    (tmp_path / "index.html").write_text(evil_page, encoding="utf-8")
    window.open(tmp_path / "index.html", 1280)
    see = window.evaluate
    assert see("document.querySelectorAll('script').length") == 1
    labels = see("[...document.querySelectorAll('.chooser label')].map(label => label.textContent.trim())")
    assert VARIANT in labels
    _click(see, "variants", VARIANT)
    assert ("hide", f"variant:{VARIANT}") in _address(see)
    assert see("document.querySelector('nav > [role=status]').textContent") == f"hidden: {VARIANT}"
    window.open(
        tmp_path / "index.html", 1280, query=f"?{urlsplit(see('location.href')).query}&hide=core:{EVIL}&x={EVIL}"
    )
    rows = (
        "[...document.querySelectorAll('tr[data-variant]')].filter(row => row.hidden).map(row => row.dataset.variant)"
    )
    assert set(see(rows)) == {VARIANT}
    told = "[...document.querySelectorAll('svg [data-told]')].map(mark => mark.dataset.told)"
    assert any(EVIL in text for text in see(told))
    assert see("document.querySelectorAll('script').length") == 1
    assert see("document.querySelectorAll('body script ~ *:not(.tip, .ring)').length") == 0
    assert window.complaints == []
