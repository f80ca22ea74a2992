"""Small results, and pages for tests that look for words: their charts are made and not drawn, which takes longest."""

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from functools import cache

import altair as alt
import pytest
import vl_convert
from altair.utils.schemapi import debug_mode

from tasks.report import Findings, Results, estimate
from tasks.report.numbers.portrait import Portrait
from tasks.report.pages.page import render_page
from tasks.report.published import OFFICIAL
from tests.tasks.report.synthetic import synthetic_results

TREEBANK = "penn-treebank-words"


def small_results(*corpora: str) -> Results:
    """Results of few trials, on the corpora of that name or on both of text."""
    results = _few_trials()
    names = corpora or [name for name, facts in results.corpora.items() if facts["kind"] != "music"]
    return dataclasses.replace(results, corpora={name: results.corpora[name] for name in names})


def of_variants(results: Results, corpus: str, *variants: str) -> Results:
    """Of one corpus what these variants came to, as if nothing else had been asked."""
    pieces, asked = results.pieces, {**results.campaign, "corpora": {corpus: list(variants)}}
    kept = {name: (frame := getattr(results, name))[frame["variant"].isin(variants)] for name in ("trials", "curves")}
    kept["diagnostics"] = results.diagnostics[results.diagnostics["variant"].isin(variants)]
    kept["pieces"] = pieces[pieces["variant"].isin(variants) | pieces["variant"].str.startswith("baseline/")]
    return dataclasses.replace(results, corpora={corpus: results.corpora[corpus]}, campaign=asked, **kept)


def treebank_results() -> Results:
    """Plain SGD and SGD+C on words, as if they were of the Penn Treebank."""
    results = of_variants(small_results("folk-tunes-words"), "folk-tunes-words", "rnn/softmax/SGD", "rnn/softmax/SGD+C")
    frames = {
        name: (frame := getattr(results, name))[frame["corpus"] == "folk-tunes-words"].assign(corpus=TREEBANK)
        for name in ("trials", "curves", "diagnostics", "pieces")
    }
    facts = results.corpora["folk-tunes-words"]
    facts = {**facts, "steps": {**facts["steps"], "test": OFFICIAL[TREEBANK][1]}}
    asked = {name: {TREEBANK: results.campaign[name]["folk-tunes-words"]} for name in ("corpora", "spaces")}
    campaign = {**results.campaign, **asked}
    return dataclasses.replace(
        results, corpora={TREEBANK: facts}, campaign=campaign, portraits={}, samples={}, **frames
    )


@cache
def _few_trials() -> Results:
    return synthetic_results(studies=2, seeds=1, trials=3, epochs=6)


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Within the block charts are made and become an empty drawing, unread and unchecked: drawn pages do the rest."""
    with pytest.MonkeyPatch.context() as patch, debug_mode(False):
        patch.setattr(alt.LayerChart, "to_dict", lambda chart, **_: {})
        patch.setattr(
            vl_convert,
            "vegalite_to_svg",
            lambda chart: '<svg viewBox="0 0 9 9"><g transform="translate(1,1)"><path d="M0,0h9v9"/></g></svg>',
        )
        yield


def undrawn_page(results: Results) -> str:
    """The first page without its drawings."""
    with undrawn():
        return drawn_page(results)


def page_words(html: str) -> str:
    """A page as one line, whose words have no buttons and in which there is no script: to look for words in."""
    running = re.sub(r'<button type="button" class="term"[^>]*>([^<]*)</button>', r"\1", html)
    return " ".join(re.sub(r"<script>.*?</script>", "", running, flags=re.DOTALL).split())


def drawn_page(results: Results) -> str:
    """The first page; of corpora without a portrait it shows none."""
    portraits = {name: results.portraits.get(name, Portrait()) for name in results.corpora}
    results = dataclasses.replace(results, portraits=portraits)
    return render_page(Findings(results, estimate(results, resamples=50)))
