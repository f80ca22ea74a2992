"""What a report was made from, kept as tables: the same report comes out of them, no piece goes in, damage is told."""

import dataclasses
import hashlib
import io
import json
from collections.abc import Callable
from functools import cache

import pandas as pd
import pytest

from infra.errors import IntegrityError
from infra.store import with_checksum
from tasks.report import Findings, Results, estimate, results_json
from tasks.report.kept import INDEX, kept_files, results_of
from tasks.report.numbers.results import COLUMNS
from tasks.report.pages.corpora import render_corpora
from tests.tasks.report.pages_made import small_results, undrawn, undrawn_page

CODE = {"commit": "f" * 40, "dirty": False, "cores": 2}
Files = dict[str, bytes]


@cache
def _kept() -> Files:
    return kept_files(small_results())


def _read(files: Files) -> Results:
    return results_of(files, "there", CODE)


@pytest.mark.parametrize("empty", [False, True])
def test_what_is_kept_is_what_was_measured(results, empty):
    if empty:
        results = dataclasses.replace(
            results, **{name: getattr(results, name)[:0] for name in ("curves", "diagnostics")}, failures=()
        )
    files = kept_files(results)
    back = _read({**files, "campaign.toml": b"beside them"})
    for name in COLUMNS:
        pd.testing.assert_frame_equal(getattr(back, name), getattr(results, name), check_exact=True)
    for name in ("campaign", "corpora", "failures"):
        assert json.dumps(getattr(back, name)) == json.dumps(getattr(results, name))
    rebuilt = {"commit": "f" * 40, "dirty": False}
    assert back.provenance == {**results.provenance, "rebuilt": rebuilt}
    assert kept_files(back) == files


def test_the_statistics_of_the_tables_are_those_of_the_campaign():
    results = small_results("folk-tunes-words")
    both = (results, _read(kept_files(results)))
    first, again = (json.loads(results_json(Findings(each, estimate(each, resamples=50)))) for each in both)
    assert first.pop("samples")
    assert again.pop("samples") == []
    assert again["provenance"].pop("rebuilt")
    assert list(again) == list(first)
    for name, value in first.items():
        assert again[name] == value, name


def test_no_piece_of_a_corpus_is_kept(results):
    back = _read(kept_files(results))
    assert (results.shows_pieces, back.shows_pieces) == (True, False)
    assert back.samples == {}
    for name, portrait in results.portraits.items():
        assert back.portraits[name] == dataclasses.replace(portrait, rolls=(), sample=None)
    text = kept_files(results)[INDEX].decode()
    lines = [" ".join(portrait.sample.symbols[:5]) for portrait in results.portraits.values() if portrait.sample]
    assert len(lines) == 2
    for told in (*lines, *(sampled.text[:9] for sampled in _texts(results))):
        assert told not in text


def _texts(results: Results):
    return [
        each.continuation
        for of in results.samples.values()
        for each in of.values()
        if each.continuation.kind != "music"
    ]


def test_the_pages_say_that_they_show_no_piece(results, files):
    page = undrawn_page(_read(kept_files(small_results("folk-tunes-words"))))
    assert "from its tables, which hold no piece of the corpora: it shows none" in page
    assert "from its tables, which hold" not in files["index.html"].decode()
    assert 'id="samples"' not in page
    with undrawn():
        pages = [render_corpora(each) for each in (_read(kept_files(results)), results)]
    for html, times in zip(pages, (3, 0), strict=True):
        assert html.count("Made again from tables, which hold no piece of the corpus") == times
        assert html.count("The most frequent symbols of the training split") == 2
        assert html.count("In how many frames of the training split each note is on") == 1
        assert (html.count("<h4>What it looks like</h4>") == 0) == (times > 0)


def _changed(index: dict[str, object]) -> bytes:
    return json.dumps(with_checksum({name: value for name, value in index.items() if name != "checksum"})).encode()


def _of_index(change: Callable[[dict], object]) -> Callable[[Files], object]:
    def damage(files: Files) -> None:
        index = json.loads(files[INDEX])
        change(index)
        files[INDEX] = _changed(index)

    return damage


def _without_column(files: Files) -> None:
    buffer = io.BytesIO()
    pd.read_parquet(io.BytesIO(files["curves.parquet"])).drop(columns=["valid"]).to_parquet(buffer)
    files["curves.parquet"] = buffer.getvalue()
    digest = hashlib.sha256(files["curves.parquet"]).hexdigest()
    _of_index(lambda index: index["tables"]["curves"].update(sha256=digest))(files)


def _flip(name: str, place: int) -> Callable[[Files], object]:
    def damage(files: Files) -> None:
        data = bytearray(files[name])
        data[place] ^= 1
        files[name] = bytes(data)

    return damage


DAMAGED = {
    "no index": (lambda files: files.pop(INDEX), "there/tables.json: is missing; take"),
    "an index of other JSON": (lambda files: files.update({INDEX: b"[]"}), "tables.json: is not the index of tables"),
    "a cut index": (lambda files: files.update({INDEX: files[INDEX][:99]}), "tables.json: is not the index of tables"),
    "a deep index": (lambda files: files.update({INDEX: b"[" * 99_999}), "tables.json: is not the index of tables"),
    "another number in the index": (
        lambda files: files.update({INDEX: files[INDEX].replace(b'"seed": 0', b'"seed": 1')}),
        "tables.json: changed after it was written; take",
    ),
    "a later version": (
        _of_index(lambda index: index.update(schema_version=2)),
        "of version 2, and this installation reads counterpoint.tables of version 1; install",
    ),
    "another schema": (_of_index(lambda index: index.update(schema="a.b")), "a.b of version 1, and this"),
    "a made-up index": (_of_index(lambda index: index.pop("failures")), "there: cannot be read here: 'failures'; take"),
    "a table that the index lacks": (_of_index(lambda index: index["tables"].pop("trials")), "is not the table that"),
    "a column less": (_without_column, "there/curves.parquet: has no column valid; take"),
    **{
        f"no {name}": (lambda files, n=name: files.pop(f"{n}.parquet"), f"{name}.parquet: is missing")
        for name in COLUMNS
    },
    **{
        f"a bit of {name}, at {place}": (_flip(f"{name}.parquet", place), f"{name}.parquet: is not the table that")
        for name in COLUMNS
        for place in (0, 500, -1)
    },
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_tables_are_told_in_one_line(case):
    damage, line = DAMAGED[case]
    files = dict(_kept())
    damage(files)
    with pytest.raises(IntegrityError) as told:
        _read(files)
    assert line in str(told.value)
    assert "\n" not in str(told.value)
