"""Corpora by their names: found in the store, made anew where they have to be, and never two names for one."""

from pathlib import Path

import numpy as np
import pytest

from infra.errors import ConfigurationError, CorpusError
from infra.store import Store
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest import corpora
from tasks.ingest import stored as cache
from tasks.ingest.building.recipe import HERE, Recipe, Source
from tasks.ingest.stage import ingest_from, ingest_named
from tasks.ingest.stored import ingest_corpus


class Workers:
    """Workers that are never needed: the corpora here are parsed in this process."""

    map = staticmethod(map)


def recipe(name: str, rules: int = 1, symbol: int = 0) -> Recipe:
    splits = {split: (np.array([symbol, 1], np.int32),) for split in SPLITS}
    titles = dict.fromkeys(SPLITS, ("a",))
    made = Corpus(name, "words", splits, titles, ("x", "y"), {"origin": "here"})
    return Recipe(name, "words", rules, lambda source: {"a": name.encode()}, lambda *_: made)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def named(store: Store, *names: str) -> dict[str, str]:
    return ingest_named.fn(store, names, Workers())  # type: ignore[arg-type]


def known(monkeypatch: pytest.MonkeyPatch, *recipes: Recipe) -> None:
    monkeypatch.setattr(corpora, "CORPORA", recipes)


def test_own_corpora_are_found_by_the_names_they_were_ingested_under(store: Store) -> None:
    digests = ingest_from.fn(store, [recipe("mine"), recipe("yours", symbol=1)], Source(), Workers())  # type: ignore[arg-type]
    assert named(store, "mine", "yours") == digests
    with pytest.raises(ConfigurationError, match="corpus 'theirs': there is none"):
        named(store, "theirs")


def test_two_names_for_the_same_data_are_refused(store: Store) -> None:
    """Their trials would be the same ones, and would count for both."""
    ingest_from.fn(store, [recipe("aa"), recipe("bb")], Source(), Workers())  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="corpora aa and bb: they are the same data"):
        named(store, "aa", "bb")
    assert list(named(store, "bb")) == ["bb"]


def test_other_rules_make_a_known_corpus_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, recipe("set"))
    before = named(store, "set")
    assert named(store, "set") == before
    known(monkeypatch, recipe("set", rules=2, symbol=1))
    after = named(store, "set")
    assert after != before
    assert named(store, "set") == after


def test_what_was_deleted_is_made_anew_or_told(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known(monkeypatch, recipe("set"))
    digest = named(store, "set")["set"]
    own = ingest_corpus(store, recipe("mine", symbol=1), HERE)
    for each in (digest, own):
        (tmp_path / "store" / cache.corpus_prefix(each) / "manifest.json").unlink()
    assert named(store, "set") == {"set": digest}
    assert store.committed(cache.corpus_prefix(digest))
    with pytest.raises(CorpusError, match="corpus 'mine': .* was deleted; ingest its files again"):
        named(store, "mine")
