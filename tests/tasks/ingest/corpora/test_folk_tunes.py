"""The folk tunes: rules on small books, and the real one, which takes a second."""

from itertools import combinations

import numpy as np
import pytest

from tasks.corpus.corpus import Corpus
from tasks.ingest.building.recipe import Recipe
from tasks.ingest.corpora.folk_tunes import (
    FOLK_TUNES_CHARACTERS,
    FOLK_TUNES_WORDS,
    LIKENESS,
    parse_book,
    read_inputs,
)
from tasks.ingest.readers.abc_notation import melody_steps
from tests.tasks.ingest.corpora.whole import built
from tests.tasks.ingest.melodies import runs

RECIPES = (FOLK_TUNES_CHARACTERS, FOLK_TUNES_WORDS)
GOLDEN = {
    "folk-tunes-characters": (
        "2c3760cceae1410cc9a06b1216ed9d855b489d84586b6d860a8d9d6bdb88e698",
        82,
        {"train": 310190, "valid": 103466, "test": 103495},
    ),
    "folk-tunes-words": (
        "e06ac0d9ef1e7cb6b229be133db47ba2da83b43ad4ed335a3bdb932b350e5bf3",
        2609,
        {"train": 72050, "valid": 24076, "test": 24140},
    ),
}


def build(recipe: Recipe, inputs: dict[str, bytes]) -> Corpus:
    return recipe.build(inputs, lambda done, total: None, map)


def text_of(corpus: Corpus, split: str) -> list[str]:
    return ["".join(corpus.vocabulary[symbol] for symbol in piece) for piece in corpus.splits[split]]


def small_book() -> dict[str, bytes]:
    """Ten unlike tunes; the last is there again under another name; one is too short."""
    generator = np.random.default_rng(5)
    bodies = ["".join(generator.choice(list("CDEFGABcdefgab"), 30)) for _ in range(10)]
    tunes = [f"X:{number}\nT:Tune {number}\nK:C\n{body} zz |\n" for number, body in enumerate(bodies)]
    again = tunes[-1].replace("X:9\nT:Tune 9", "X:77\nT:Another name")
    return {"a.abc": "\n".join(tunes).encode(), "b.abc": f"{again}\nX:78\nT:Short\nK:C\nCDE\n".encode()}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.kind)
def test_a_tune_under_two_names_is_in_one_split_and_a_short_one_in_none(recipe: Recipe) -> None:
    corpus = build(recipe, small_book())
    split_of = {title: split for split, titles in corpus.titles.items() for title in titles}
    assert split_of["9 Tune 9"] == split_of["77 Another name"]
    assert corpus.source["quarantined"] == {"b.abc: 78 Short": "3 notes, fewer than 8"}
    assert len(split_of) == 11


def test_characters_are_the_lines_and_what_train_lacks_is_unknown_and_counted() -> None:
    corpus = build(FOLK_TUNES_CHARACTERS, small_book())
    assert all(text.startswith("K:C\n") and text.endswith("|\n") for text in text_of(corpus, "train"))
    train = set("".join(text_of(corpus, "train")))
    assert set(corpus.vocabulary) == {"<unk>", *train}
    for split, counted in corpus.source["statistics"].items():
        assert counted["unknown"] == sum(text.count("<unk>") for text in text_of(corpus, split))
        assert counted["steps"] == corpus.steps(split)


def test_words_seen_less_than_three_times_in_train_are_unknown() -> None:
    corpus = build(FOLK_TUNES_WORDS, small_book())
    assert {"K:C", "<eos>", "zz"} <= set(corpus.vocabulary)
    assert not any(len(word) > 20 for word in corpus.vocabulary), "every body is there once or twice"
    assert corpus.source["statistics"]["train"]["unknown"] > 0


@pytest.fixture(scope="module")
def real() -> dict[str, Corpus]:
    return {recipe.name: built(recipe.name)[0] for recipe in RECIPES}


@pytest.mark.integration
@pytest.mark.golden
@pytest.mark.parametrize("name", GOLDEN)
def test_the_counts_and_the_digest_are_pinned(real: dict[str, Corpus], name: str) -> None:
    digest, vocabulary, steps = GOLDEN[name]
    corpus = real[name]
    assert {split: corpus.steps(split) for split in corpus.splits} == steps
    assert {split: len(pieces) for split, pieces in corpus.splits.items()} == {"train": 1138, "valid": 434, "test": 437}
    assert len(corpus.vocabulary) == vocabulary
    assert corpus.digest == digest


@pytest.mark.integration
def test_both_corpora_have_the_same_tunes_in_each_split(real: dict[str, Corpus]) -> None:
    characters, words = real.values()
    assert characters.titles == words.titles


@pytest.mark.integration
def test_no_run_of_a_melody_is_in_two_splits(real: dict[str, Corpus]) -> None:
    tunes = [tune for book in read_inputs().values() for tune in parse_book(book)]
    by_text = {"".join(line + "\n" for line in tune.lines): tune for tune in tunes}
    corpus = real["folk-tunes-characters"]
    seen = {}
    for split in corpus.splits:
        # the few tunes with a character that train lacks cannot be found by their text
        known = [by_text[text] for text in text_of(corpus, split) if "<unk>" not in text]
        seen[split] = {run for tune in known for run in runs(melody_steps(tune), LIKENESS.long)}
        assert len(seen[split]) > 10000
    assert not any(seen[one] & seen[other] for one, other in combinations(seen, 2))


@pytest.mark.integration
def test_nobody_who_typed_a_tune_is_named(real: dict[str, Corpus]) -> None:
    text = "".join("".join(text_of(real["folk-tunes-characters"], split)) for split in ("train", "valid", "test"))
    assert "Z:" not in text
    assert "ranscribed" not in text
