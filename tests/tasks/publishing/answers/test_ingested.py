"""The corpora that were ingested, as a table: everything is in it, nothing is cut off, and nothing is too wide."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from infra.errors import NotFoundError
from infra.store import Store
from tasks.corpus.corpus import Corpus
from tasks.ingest.building.recipe import Recipe
from tasks.ingest.stored import store_corpus
from tasks.publishing.answers.ingested import ingested
from tasks.telling.blocks import WIDTH
from tests.tasks.conftest import tiny_music, tiny_text
from tests.tasks.publishing.test_terminal import _row, _widest


def _table(store: Store, digests: Mapping[str, str]) -> str:
    return str(ingested(store, digests))


def _stored(store: Store, corpus: Corpus, quarantined: Mapping[str, str] | None = None) -> dict[str, str]:
    """Put a corpus into a store with what was set aside for it; its digest by its name."""
    told = replace(corpus, source={"quarantined": quarantined or {}})
    recipe = Recipe(corpus.name, corpus.kind, 1, lambda source: {}, lambda inputs, progress, map_function: told)
    store_corpus(store, told, recipe, {})
    return {corpus.name: corpus.digest}


def test_the_corpora_have_a_row_each_with_their_sizes(store, digests):
    music, text = tiny_music(), tiny_text()
    table = _table(store, digests)
    steps = [" / ".join(str(corpus.steps(split)) for split in ("train", "valid", "test")) for corpus in (music, text)]
    pieces = "6 / 3 / 3"
    assert _row(table, music.name) == [music.name, "music", pieces, steps[0], "88 notes", "0", music.digest[:12]]
    assert _row(table, text.name) == [text.name, "characters", pieces, steps[1], "5", "0", text.digest[:12]]
    assert len(table.splitlines()) == 5, "nothing stands below the table where nothing was set aside"
    assert _widest(table) <= WIDTH


def test_the_first_reasons_for_setting_files_aside_stand_below(store):
    reasons = {f"{n}.mid": "no note" for n in range(7)} | {"x.mid": "x.mid: torn", "y.mid": "too long", "z.mid": "odd"}
    table = _table(store, _stored(store, tiny_music(), reasons) | _stored(store, tiny_text(), {"a.txt": "empty"}))
    assert _row(table, "bach-chorales")[-2] == "10"
    assert table.splitlines()[-2:] == [
        "bach-chorales, set aside: 0.mid and 6 more: no note; x.mid: torn; y.mid: too long; and 1 more",
        "folk-tunes-characters, set aside: a.txt: empty",
    ]


def test_long_names_and_hostile_reasons_are_shown_whole_and_inert(store):
    name = "a-name-of-ones-own-" * 3 + "1234567"
    reasons = {f"{n}.mid": f"[bold]\x1b[31m{n} " + "very " * 60 + "odd" for n in range(3)}
    table = _table(store, _stored(store, replace(tiny_music(), name=name), reasons))
    first_column = "".join(line.split("  ")[0].strip() for line in table.splitlines()[3:])
    assert first_column.startswith(name)
    assert "\x1b" not in table
    assert "[bold][U+001B][31m0 very" in table
    assert _widest(table) <= WIDTH


def test_the_largest_corpus_that_is_known_is_on_one_line(store):
    sizes = {"train": 5_017_482, "valid": 393_042, "test": 442_423}
    splits = {split: (np.zeros(steps, np.int32),) for split, steps in sizes.items()}
    known = Corpus("penn-treebank-characters", "characters", splits, dict.fromkeys(sizes, ("all",)), tuple("abcde"))
    table = _table(store, _stored(store, known))
    assert _row(table, known.name)[:4] == [known.name, "characters", "1 / 1 / 1", "5,017,482 / 393,042 / 442,423"]
    assert _widest(table) <= WIDTH


def test_a_corpus_that_is_not_there_is_an_error(store):
    with pytest.raises(NotFoundError):
        _table(store, {"bach-chorales": "0" * 64})


@pytest.mark.parametrize("number", [80, 100, 200])
def test_corpora_fit_the_terminal(columns, store, number):
    columns(number)
    sizes = {"train": 5_017_482, "valid": 393_042, "test": 442_423}
    splits = {split: (np.zeros(steps, np.int32),) for split, steps in sizes.items()}
    known = Corpus("penn-treebank-characters", "characters", splits, dict.fromkeys(sizes, ("all",)), tuple("abcde"))
    table = _table(store, _stored(store, known, {"a.txt": "much " * 30}))
    assert _widest(table) <= number
    assert known.name in table
    assert "5,017,482" in table
