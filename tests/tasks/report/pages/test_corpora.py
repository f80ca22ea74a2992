"""The part of the page on the corpora: what it shows of each, what it says of files set aside, and that all is text."""

import dataclasses
import json
import re

import numpy as np
import pytest

from tasks.corpus.piano_roll import find_runs
from tasks.corpus.set_aside import by_reason
from tasks.report.charts.colours import COLOURS
from tasks.report.charts.rolls import draw_roll, shown_range
from tasks.report.numbers.portrait import Portrait, Roll, Sample
from tasks.report.pages.corpora import render_corpora, statistics_table
from tests.tasks.report.inert import EVIL, Page


@pytest.fixture(scope="module")
def html(files):
    return re.findall(r'<section id="corpora".*?</section>', files["index.html"].decode(), re.DOTALL)[0]


def _one(results, name, *, portrait=None, **changes):
    """The results with one corpus, some of its facts changed."""
    facts = {**results.corpora[name], **changes}
    return dataclasses.replace(results, corpora={name: facts}, portraits={name: portrait or results.portraits[name]})


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_headings_are_in_order_and_drawings_are_described(html):
    page = Page(html)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert (levels[0], levels.count(2), max(np.diff(levels))) == (2, 1, 1)
    drawings = page.all("svg")
    assert len(drawings) == 3 + 1
    assert all(drawing["role"] == "img" and len(drawing["aria-label"]) > 15 for drawing in drawings)
    assert len(page.all("caption")) == len(page.all("table"))


def test_every_colour_of_a_drawing_has_a_dark_one(html):
    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', html))
    assert len(used) > 2
    assert used <= COLOURS


def test_the_page_leads_to_it(files):
    assert files["index.html"].decode().count('href="#corpora"') == 2


def test_the_page_tells_what_each_corpus_is(html, results):
    text = _words(html)
    for name, facts in results.corpora.items():
        assert f"<h3>{name}</h3>" in html
        assert facts["digest"] in text
    for words in (
        "made up for tests",
        "Input files 413",
        "Version of the rules 3",
        "near duplicates 17",
        "lines 12,345",
    ):
        assert words in text, words


def test_the_statistics_are_those_that_were_counted(results):
    table = statistics_table(results.corpora["bach-chorales"])
    rows = {row[0]: row[1:] for row in table.rows}
    counted = results.corpora["bach-chorales"]["statistics"]
    assert table.columns == ("", "train", "valid", "test")
    assert rows["pieces"] == ("296", "37", "37")
    assert rows["frames"] == ("14,800", "1,850", "1,850")
    assert rows["longest piece"] == tuple(str(counted[split]["longest"]) for split in ("train", "valid", "test"))
    silent = counted["train"]["silent_frames"]
    assert rows["silent frames"][0] == f"{silent} ({silent / 148:.1f} %)"
    assert rows["lowest note"][0] == "D♯3"
    words = {row[0]: row[1:] for row in statistics_table(results.corpora["folk-tunes-words"]).rows}
    assert set(rows) - set(words) == {
        *("frames", "notes a frame, mean", "notes a frame, at most", "lowest note", "highest note", "silent frames")
    }
    assert set(words) - set(rows) == {"words", "symbols in use", "unknown, <unk>", "lines"}


def test_what_was_set_aside_is_counted_by_reason_and_named(html):
    assert _words(html).count("Nothing was set aside.") == 2
    table = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", html)]
    assert ["5 parts, not 4", "23"] in table
    assert ["6 parts, not 4", "22"] in table
    assert ["not a zip", "1"] in table
    (details,) = re.findall(r"<details>.*?</details>", html, re.DOTALL)
    assert re.findall(r"<span>(.*?)</span>", details) == [
        *(f"bwv{n}.mxl" for n in (*range(0, 45, 2), *range(1, 45, 2), 45))
    ]


def test_many_reasons_are_cut_in_the_table_and_whole_in_the_list(results):
    source = {"quarantined": {f"{n}.mid": f"broken at byte {n}" for n in range(40)}}
    html = render_corpora(_one(results, "bach-chorales", source=source))
    text = _words(html)
    assert "28 other reasons 28" in text
    assert "broken at byte 39 39.mid" in text
    assert html.count('<th scope="row">broken at byte') == 12


def test_nothing_told_of_a_source_is_nothing_set_aside(results):
    text = _words(render_corpora(_one(results, "folk-tunes-words", source={})))
    assert "Nothing was set aside." in text
    assert "Input files –" in text


def test_groups_are_by_the_reason_behind_the_name():
    told = {"a": "a: torn", "b": "cut\nsecond line", "c": "c: torn", "d\u202e": "d: torn"}
    assert [(group.reason, group.names) for group in by_reason({"quarantined": told})] == [
        ("torn", ("a", "c")),
        ("cut", ("b",)),
        ("d: torn", ("d[U+202E]",)),
    ]


def test_the_text_shows_its_line_ends(results):
    sample = Sample("a tune", ("a", " ", "b", "\n", "\t", "c", "\u0007", "\n"), more=True)
    portrait = Portrait(sample=sample, common=((" ", 5), ("\n", 4), ("a", 1)))
    html = render_corpora(_one(results, "folk-tunes-characters", portrait=portrait))
    assert "<code>a b↵\n⇥c[U+0007]↵\n…</code>" in html
    assert [re.findall(r"<th[^>]*>(.*?)</th>", row)[0] for row in re.findall(r"<tr>.*?</tr>", html)][-3:] == [
        *("␣", "↵", "a")
    ]
    words = Portrait(sample=Sample("t", ("the", "<eos>", "<unk>", "<eos>"), more=False), common=(("the", 1),))
    html = render_corpora(_one(results, "folk-tunes-words", portrait=words))
    assert "<code>the &lt;eos&gt;\n&lt;unk&gt; &lt;eos&gt;\n</code>" in html


def test_titles_names_reasons_and_symbols_are_inert(results):
    source = {
        "origin": EVIL, EVIL: EVIL, "near_duplicates": EVIL, "rules": EVIL, "inputs": 3, "quarantined": {EVIL: EVIL},
        "statistics": {"train": {EVIL: EVIL}},
    }  # fmt: skip
    roll = Roll(EVIL, "the first", 9, ((60, 0, 4),))
    for name, portrait in (
        ("bach-chorales", Portrait(rolls=(roll,), shares=(0.5,) * 88)),
        ("folk-tunes-words", Portrait(sample=Sample(EVIL, (EVIL, "<eos>"), more=False), common=((EVIL, 9),))),
    ):
        changed = _one(results, name, portrait=portrait, source=source)
        facts = {EVIL: next(iter(changed.corpora.values()))}
        html = render_corpora(dataclasses.replace(changed, corpora=facts, portraits={EVIL: portrait}))
        page = Page(html)
        assert "script" not in {tag for tag, _ in page.tags}
        assert html.count("alert(") > 10


def test_a_drawing_holds_every_run_in_its_place():
    rng = np.random.default_rng(1)
    roll = (rng.random((50, 88)) < 0.1).astype(np.uint8)
    drawn = Roll("a", "the first", 50, find_runs(roll))
    low, high = shown_range([drawn])
    svg = str(draw_roll(drawn, low, high, "what it is"))
    (path,) = re.findall(r'stroke="#0072b2" stroke-width="4" d="([^"]*)"', svg)
    left = min(int(x) for x in re.findall(r'<path stroke="#7a808b"[^>]*d="M(\d+)', svg))
    again = np.zeros_like(roll)
    for x, y, length in re.findall(r"M(\d+) ([\d.]+)h(\d+)", path):
        note = high - int(float(y) // 5)
        start = (int(x) - left) // 5
        again[start : start + int(length) // 5, note - 21] = 1
    assert np.array_equal(again, roll)
    labels = re.findall(r">(C\d)</text>", svg)
    assert labels == [f"C{note // 12 - 1}" for note in range(low, high + 1) if note % 12 == 0]


def test_the_range_of_drawings_is_shared_and_inside_the_keyboard():
    low, high = (Roll("a", "", 5, ((note, 0, 1),)) for note in (21, 108))
    assert shown_range([low, high]) == (21, 108)
    assert shown_range([low]) == (21, 44)
    assert shown_range([high]) == (85, 108)
    assert shown_range([Roll("a", "", 5, ())]) == (49, 72)


def test_pictures_are_in_no_file_for_programs(files, results):
    document = json.loads(files["results.json"])
    assert document["corpora"] == json.loads(json.dumps(results.corpora))
    assert set(document["corpora"]["bach-chorales"]["statistics"]) == {"train", "valid", "test"}
    assert "portraits" not in document
