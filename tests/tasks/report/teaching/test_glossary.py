"""The glossary: each word becomes a button where it first stands in running text, and nowhere else."""

import re

import pytest

from tasks.report.teaching.glossary import WORDS, explained
from tests.tasks.report.inert import Page

BUTTON = re.compile(r'<button type="button" class="term" popovertarget="([\w-]+)">([^<]*)</button>')


@pytest.mark.parametrize(("html", "buttons"), [
    ("<p>One nat, two nats.</p>", [("word-nat", "nat")]),
    ("<p>Perplexity</p><p>perplexity</p>", [("word-perplexity", "Perplexity")]),
    ("<p>By union accuracy and accuracy.</p>",
     [("word-union-accuracy", "union accuracy"), ("word-accuracy", "accuracy")]),
    ("<h2>nats</h2><th>nats</th><p><a href='#'>nats</a><code>nats</code></p>", []),
    ("<p><svg><text>nats</text></svg></p><li><pre>nats</pre></li>", []),
    ("<table><caption><b>nats</b> per frame</caption><td>frame</td></table>", [("word-frame", "frame")]),
    ("<figcaption><span>nats</span></figcaption>", [("word-nat", "nats")]),
    ("<p>innate, nats-like, SGD+nat, nat/x</p>", []),
    ('<p title="nats">x</p>', []),
    ("<p>x</p>nats", []),
    ("<li>&lt;nats&gt;</li>", [("word-nat", "nats")]),
])  # fmt: skip
def test_the_first_place_in_running_text_becomes_a_button(html, buttons):
    text, words = explained(html)
    assert BUTTON.findall(text) == buttons
    assert [word.anchor for word in words] == sorted(anchor for anchor, _ in buttons)
    assert BUTTON.sub(r"\2", text) == html, "nothing else changes"


def test_words_are_in_order_written_in_one_way_and_explained_in_few_plain_words():
    names = [word.name for word in WORDS]
    assert names == sorted(names)
    forms = [form for word in WORDS for form in (word.name, *word.forms)]
    assert len(forms) == len(set(forms))
    assert len({word.anchor for word in WORDS}) == len(WORDS)
    for word in WORDS:
        assert word.sentence.endswith(".")
        assert len(word.sentence) < 260, word.name


def test_every_button_of_a_report_has_its_sentence_and_every_sentence_its_button(files):
    html = files["index.html"].decode()
    page = Page(html)
    asked = [attributes["popovertarget"] for attributes in page.all("button")]
    there = {attributes["id"] for attributes in page.all("div") if "popover" in attributes}
    assert len(asked) == len(set(asked)) > 15
    assert set(asked) == there
    assert {"word-nat", "word-perplexity", "word-held-back", "word-update-rate"} <= there
