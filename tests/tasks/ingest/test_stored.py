"""Corpora in the store: found again without parsing, rebuilt equal, refused when something is wrong with them."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from infra.errors import ConfigurationError, CorpusError, IntegrityError, NotFoundError
from infra.store import Store
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest import (
    CORPORA,
    corpus_kind,
    described_as,
    embedded_corpora,
    find_name,
    find_recipe,
    ingest_corpus,
    known_corpora,
    load_corpus,
)
from tasks.ingest import (
    stored as cache,
)
from tasks.ingest.building import recipe as recipes
from tasks.ingest.building.recipe import BuildProgress, MapFunction, Recipe, music21_folder, read_files
from tasks.ingest.names import Named, give_name

NAMES = (
    "bach-chorales",
    "folk-tunes-characters",
    "folk-tunes-words",
    "jsb-chorales",
    "nottingham",
    "piano-midi.de",
    "musedata",
    "penn-treebank-words",
    "penn-treebank-characters",
    *(f"{family}-{lag}" for family in ("temporal-order", "adding") for lag in (20, 50, 100, 150, 200)),
)


class Source:
    """A corpus of digits in files: `a.txt` is train, `b.txt` valid, `c.txt` test."""

    def __init__(self, folder: Path) -> None:
        self.paths = {name: folder / name for name in ("a.txt", "b.txt", "c.txt")}
        for path, digits in zip(self.paths.values(), ("0120", "10", "2"), strict=True):
            path.write_text(digits)
        self.parsed = 0

    def read(self, source: recipes.Source = recipes.HERE) -> dict[str, bytes]:
        return read_files(self.paths.values())

    @property
    def recipe(self) -> Recipe:
        return Recipe("digits", "characters", 1, self.read, self.build)

    @property
    def key(self) -> str:
        return cache.source_digest(self.recipe, cache.hash_inputs(self.read()))

    def build(self, inputs: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction) -> Corpus:
        self.parsed += 1
        texts = list(map_function(bytes.decode, inputs.values()))
        progress(len(texts), len(texts))
        pieces = [np.array([int(digit) for digit in text], np.int32) for text in texts]
        train, valid, test = pieces
        titles = {"train": ("one", "öne"), "valid": ("two",), "test": ("three",)}
        splits = {"train": (train, valid), "valid": (valid,), "test": (test,)}
        return Corpus("digits", "characters", splits, titles, ("a", "b", "\n"), {"quarantined": {}, "origin": "here"})


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


@pytest.fixture
def store() -> Store:
    return Store(f"memory://{secrets.token_hex(8)}")


def test_the_second_time_nothing_is_parsed(store: Store, source: Source) -> None:
    seen: list[tuple[int, int]] = []
    digests = {ingest_corpus(store, source.recipe, progress=lambda *done: seen.append(done)) for _ in range(3)}
    assert len(digests) == 1
    assert source.parsed == 1
    assert seen == [(3, 3)]


def test_a_name_stands_for_the_corpus_that_was_last_ingested_under_it(store: Store, source: Source) -> None:
    assert find_name(store, "digits") is None
    first = ingest_corpus(store, source.recipe)
    assert find_name(store, "digits") == Named(first, "characters", 1, source.key)
    source.paths["a.txt"].write_text("2222")
    second = ingest_corpus(store, source.recipe)
    assert find_name(store, "digits") == Named(second, "characters", 1, source.key)
    source.paths["a.txt"].write_text("0120")
    assert ingest_corpus(store, source.recipe) == first
    assert find_name(store, "digits") == Named(first, "characters", 1, source.key)
    assert source.parsed == 2


def test_a_corpus_that_was_deleted_is_made_anew(tmp_path: Path, source: Source) -> None:
    """What the error of a damaged corpus says to do."""
    store = Store(str(tmp_path / "store"))
    digest = ingest_corpus(store, source.recipe)
    shutil.rmtree(tmp_path / "store" / "data" / digest)
    assert ingest_corpus(store, source.recipe) == digest
    assert source.parsed == 2
    assert load_corpus(store, digest).digest == digest


def test_settings_make_another_corpus_and_are_told(store: Store, source: Source) -> None:
    first = ingest_corpus(store, source.recipe)
    ingest_corpus(store, replace(source.recipe, settings={"step": 3}))
    assert source.parsed == 2
    assert len(store.prefixes("ingests")) == 2
    assert load_corpus(store, first).source["rules"] == 1


def test_what_comes_back_is_equal(store: Store, source: Source) -> None:
    digest = ingest_corpus(store, source.recipe)
    loaded = load_corpus(store, digest)
    made = source.build(source.read(), lambda done, total: None, map)
    assert loaded.digest == digest == made.digest
    assert (loaded.name, loaded.kind, loaded.titles, loaded.vocabulary) == (
        made.name,
        made.kind,
        made.titles,
        made.vocabulary,
    )
    for split, pieces in made.splits.items():
        for ours, theirs in zip(loaded.splits[split], pieces, strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)
    assert {"rules": 1, "inputs": 3, "origin": "here"}.items() <= loaded.source.items()


def test_every_input_is_named_with_its_hash(store: Store, source: Source) -> None:
    digest = ingest_corpus(store, source.recipe)
    sums = json.loads(store.read(f"data/{digest}", "inputs.json"))
    assert sums["c.txt"] == "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"
    assert set(sums) == set(source.paths)


def test_a_changed_input_is_parsed_again_and_both_are_kept(store: Store, source: Source) -> None:
    before = ingest_corpus(store, source.recipe)
    source.paths["a.txt"].write_text("2222")
    after = ingest_corpus(store, source.recipe)
    assert before != after
    assert load_corpus(store, before).digest == before
    source.paths["a.txt"].write_text("0120")
    assert ingest_corpus(store, source.recipe) == before
    assert source.parsed == 2


def told_as(recipe: Recipe, name: str, word: str) -> Recipe:
    """The same arrays, told of with another word: other settings of a recipe."""

    def build(inputs: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction) -> Corpus:
        corpus = recipe.build(inputs, progress, map_function)
        titles = {split: tuple(f"{word} {title}" for title in corpus.titles[split]) for split in SPLITS}
        return replace(corpus, titles=titles, source={"origin": word, "quarantined": {f"{word}.mid": "broken"}})

    return replace(recipe, name=name, build=build, settings={"word": word})


@pytest.mark.parametrize("order", [("dirty", "clean"), ("clean", "dirty")])
@pytest.mark.parametrize("names", [("mine", "mine"), ("mine", "yours")])
def test_what_is_told_under_a_name_is_of_the_files_that_were_ingested_under_it(
    store: Store, source: Source, order: tuple[str, str], names: tuple[str, str]
) -> None:
    seen = {}
    for name, word in zip(names, order, strict=True):
        digest = ingest_corpus(store, told_as(source.recipe, name, word))
        told = described_as(store, name, load_corpus(store, digest))
        assert (told.name, told.digest, told.source["origin"], told.source["word"]) == (name, digest, word, word)
        assert told.source["quarantined"] == {f"{word}.mid": "broken"}
        assert told.titles["valid"] == (f"{word} two",)
        seen[name] = told.source
    assert len(store.prefixes("data")) == 1
    for name, was in seen.items():
        assert described_as(store, name, load_corpus(store, digest)).source == was
    ingest_corpus(store, told_as(source.recipe, names[0], order[0]))
    again = described_as(store, names[0], load_corpus(store, digest))
    assert (again.source["origin"], source.parsed) == (order[0], 2)


def test_a_name_without_a_source_of_its_own_is_told_as_the_arrays_are(store: Store, source: Source) -> None:
    """Stores of before it was kept, and a name that has come to stand for another corpus."""
    digest = ingest_corpus(store, source.recipe)
    give_name(store, "old", Named(digest, "characters", 1))
    give_name(store, "other", Named("0" * 64, "characters", 1, "0" * 64))
    for name in ("old", "other", "unknown"):
        told = described_as(store, name, load_corpus(store, digest))
        assert (told.name, told.source) == (name, load_corpus(store, digest).source)


def test_what_is_told_of_a_corpus_is_missed_and_checked(store: Store, source: Source) -> None:
    digest = ingest_corpus(store, source.recipe)
    corpus = load_corpus(store, digest)
    give_name(store, "mine", Named(digest, "characters", 1, "0" * 64))
    with pytest.raises(NotFoundError, match="which tells of 'mine', was deleted; ingest it again"):
        described_as(store, "mine", corpus)
    store.commit(f"ingests/{'0' * 64}", {"corpus.json": b"{}"}, kind="ingest", provenance={})
    with pytest.raises(IntegrityError, match="does not tell of 'mine'"):
        described_as(store, "mine", corpus)


def test_a_new_version_of_the_rules_is_parsed_again(store: Store, source: Source) -> None:
    ingest_corpus(store, source.recipe)
    ingest_corpus(store, replace(source.recipe, rules=2))
    assert source.parsed == 2


def test_the_name_the_rules_and_every_byte_enter_the_source_digest(source: Source) -> None:
    recipe = source.recipe
    sums = cache.hash_inputs(source.read())
    digests = {
        cache.source_digest(recipe, sums),
        cache.source_digest(replace(recipe, name="other"), sums),
        cache.source_digest(replace(recipe, rules=2), sums),
        cache.source_digest(replace(recipe, settings={"step": 1}), sums),
        cache.source_digest(recipe, {**sums, "a.txt": "0" * 64}),
        cache.source_digest(recipe, {name + "x": value for name, value in sums.items()}),
    }
    assert len(digests) == 6
    assert cache.source_digest(recipe, dict(reversed(sums.items()))) in digests


def test_an_ingest_that_was_interrupted_before_its_record_is_done_again(store: Store, source: Source) -> None:
    made = source.build(source.read(), lambda done, total: None, map)
    cache.store_corpus(store, made, source.recipe, cache.hash_inputs(source.read()))
    assert ingest_corpus(store, source.recipe) == made.digest
    assert load_corpus(store, made.digest).digest == made.digest


@pytest.mark.parametrize(
    "damage",
    [
        {"arrays.safetensors": b"no tensors"},
        {"arrays.safetensors": save({"train.steps": np.zeros(3, np.int32)})},
        {"corpus.json": b"[]"},
        {"corpus.json": b"{}"},
        {"corpus.json": b"no JSON"},
    ],
)
def test_what_is_no_corpus_is_told(store: Store, source: Source, damage: dict[str, bytes]) -> None:
    digest = ingest_corpus(store, source.recipe)
    names = ("arrays.safetensors", "corpus.json")
    files = {name: store.read(f"data/{digest}", name) for name in names} | damage
    store.commit(f"data/{'0' * 64}", files, kind="corpus", provenance={})
    with pytest.raises(IntegrityError, match="is not a corpus; delete it|is not JSON; delete that folder"):
        load_corpus(store, "0" * 64)


def test_another_corpus_under_the_digest_is_told(store: Store, source: Source) -> None:
    digest = ingest_corpus(store, source.recipe)
    files = {name: store.read(f"data/{digest}", name) for name in ("arrays.safetensors", "corpus.json")}
    store.commit(f"data/{'0' * 64}", files, kind="corpus", provenance={})
    with pytest.raises(IntegrityError, match="holds another corpus"):
        load_corpus(store, "0" * 64)


def test_unknown_digests_and_missing_inputs_are_told(store: Store, source: Source) -> None:
    with pytest.raises(NotFoundError):
        load_corpus(store, "0" * 64)
    source.paths["b.txt"].unlink()
    with pytest.raises(CorpusError, match=r"b\.txt: No such file"):
        ingest_corpus(store, source.recipe)
    assert store.prefixes("ingests") == store.prefixes("data") == [], "what was read is no corpus without the rest"
    source.paths.clear()
    with pytest.raises(CorpusError, match="no input files"):
        ingest_corpus(store, source.recipe)


def test_a_music21_that_is_missing_or_has_no_scores_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CorpusError, match="has no scores"):
        music21_folder("no such folder")
    monkeypatch.setattr(recipes.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CorpusError, match="pip install music21"):
        music21_folder("bach")


def test_the_corpora_and_their_kinds(store: Store, source: Source) -> None:
    assert known_corpora() == NAMES == tuple(recipe.name for recipe in CORPORA)
    assert [corpus_kind(name) for name in embedded_corpora()] == ["music", "characters", "words"]
    for unknown in ("bach", "../bach", ""):
        with pytest.raises(ConfigurationError, match="take one of bach-chorales"):
            corpus_kind(unknown, store)
    ingest_corpus(store, source.recipe)
    assert corpus_kind("digits", store) == "characters"
    with pytest.raises(ConfigurationError, match="or ingest your own under that name"):
        corpus_kind("digits")


@pytest.mark.parametrize("name", embedded_corpora())
def test_what_comes_with_the_installation_is_read_from_nowhere_else(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe is not None
    with pytest.raises(ConfigurationError, match="comes with the installation"):
        recipe.read_inputs(recipes.Source("elsewhere"))


@pytest.mark.integration
def test_ingesting_imports_neither_music21_nor_torch_and_needs_no_home(tmp_path: Path) -> None:
    program = (
        "import sys; from infra.store import Store; from tasks.ingest import find_recipe, ingest_corpus, load_corpus\n"
        f"store = Store({str(tmp_path / 'store')!r})\n"
        "load_corpus(store, ingest_corpus(store, find_recipe('folk-tunes-words')))\n"
        "print('music21' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"HOME": "/nonexistent"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
