"""What every corpus promises, whoever wrote it: one suite over the tuple.

Those that come with the installation pass it everywhere; those that a user brings, where the real data are.
"""

import re
from typing import get_args

import numpy as np
import pytest

from infra.errors import CorpusError
from models.data_kinds import Kind
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest import all_recipes
from tasks.ingest.building.recipe import Recipe
from tests.tasks.ingest.corpora import whole
from tests.tasks.ingest.corpora.test_official_midi import ROLLS

pytestmark = pytest.mark.integration  # all of them are parsed

KINDS = get_args(Kind)


RECIPES = [recipe for recipe in all_recipes() if not recipe.generated or recipe.name.endswith("-20")]
"""Of the made-up tasks one lag each: a recipe differs from the next in that number alone."""


@pytest.fixture(scope="module", params=RECIPES, ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    found: Recipe = request.param
    return found


@pytest.fixture(scope="module")
def built(recipe: Recipe) -> tuple[Corpus, tuple[tuple[int, int], ...]]:
    return whole.built(recipe.name)


def test_names_differ_and_are_plain() -> None:
    names = [recipe.name for recipe in all_recipes()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) for name in names)


def test_the_corpus_is_what_its_recipe_says(recipe: Recipe, built: tuple[Corpus, tuple[tuple[int, int], ...]]) -> None:
    corpus, _ = built
    assert (corpus.name, corpus.kind) == (recipe.name, recipe.kind)
    assert recipe.kind in KINDS
    assert recipe.rules >= 1


def test_the_inputs_are_sorted_bytes(recipe: Recipe) -> None:
    inputs = whole.inputs_of(recipe.name)
    assert list(inputs) == sorted(inputs)
    assert all(isinstance(data, bytes) for data in inputs.values())


def test_progress_goes_up_to_its_end(built: tuple[Corpus, tuple[tuple[int, int], ...]]) -> None:
    _, seen = built
    done = [count for count, _ in seen]
    assert done == sorted(done)
    assert seen[-1][0] == seen[-1][1] > 0


IN_TWO_SPLITS = {
    "folk-tunes-words": 1,  # two tunes, each a few known fields and eight bars of `<unk>`
    "nottingham": 2,  # as it was published
}


def test_no_piece_is_in_two_splits(built: tuple[Corpus, tuple[tuple[int, int], ...]]) -> None:
    corpus, _ = built
    seen = {split: {piece.tobytes() for piece in corpus.splits[split]} for split in SPLITS}
    shared = len(seen["train"] & seen["valid"]) + len((seen["train"] | seen["valid"]) & seen["test"])
    assert shared == IN_TWO_SPLITS.get(corpus.name, 0)


def test_the_source_tells_what_was_set_aside_and_the_statistics(
    built: tuple[Corpus, tuple[tuple[int, int], ...]],
) -> None:
    corpus, _ = built
    assert isinstance(corpus.source["origin"], str)
    assert isinstance(corpus.source["quarantined"], dict)
    for split in SPLITS:
        told = corpus.source["statistics"][split]
        assert told["pieces"] == len(corpus.splits[split])
        steps = told["frames"] if corpus.kind == "music" else told["steps"]
        assert steps == corpus.steps(split)


def test_a_symbol_of_train_is_never_unknown_by_accident(built: tuple[Corpus, tuple[tuple[int, int], ...]]) -> None:
    corpus, _ = built
    if corpus.kind in ("music", "adding"):
        assert corpus.vocabulary == ()
        return
    counts = np.bincount(np.concatenate(corpus.splits["train"]), minlength=corpus.width)
    assert len(set(corpus.vocabulary)) == corpus.width
    assert (counts[1:] > 0).all(), "the vocabulary is train's"


PINNED = {"bach-chorales", "folk-tunes-characters", "folk-tunes-words"} | set(ROLLS)
"""What every process has to make of them is written down: a digest, or the official rolls."""


@pytest.mark.parametrize(
    "recipe", [each for each in RECIPES if each.name not in PINNED], indirect=True, ids=lambda each: each.name
)
def test_building_again_gives_the_same(recipe: Recipe, built: tuple[Corpus, tuple[tuple[int, int], ...]]) -> None:
    again = recipe.build(whole.inputs_of(recipe.name), lambda *_: None, map)
    assert again.digest == built[0].digest


def test_bad_inputs_are_told_in_one_line(recipe: Recipe) -> None:
    for inputs in ({}, {"train/a.bin": b"\0\1\2" * 99}, {"a.txt": b""}):
        with pytest.raises(CorpusError) as caught:
            recipe.build(inputs, lambda *_: None, map)
        assert "\n" not in str(caught.value)
