"""The corpora as they are: each is parsed once a process, for all tests that only look at it."""

from collections.abc import Mapping
from functools import cache

from tasks.corpus.corpus import Corpus
from tasks.ingest import find_recipe
from tasks.ingest.building.recipe import Recipe, Source
from tests.tasks.ingest.data import data_folder


def recipe_of(name: str) -> Recipe:
    recipe = find_recipe(name)
    assert recipe is not None
    return recipe


@cache
def inputs_of(name: str) -> Mapping[str, bytes]:
    """The files of a corpus; skips the test where they are a user's own, and not here."""
    recipe = recipe_of(name)
    return recipe.read_inputs(Source() if recipe.embedded or recipe.generated else Source(str(data_folder())))


@cache
def built(name: str) -> tuple[Corpus, tuple[tuple[int, int], ...]]:
    """A corpus, and the progress that was told while it was built."""
    seen: list[tuple[int, int]] = []
    corpus = recipe_of(name).build(inputs_of(name), lambda *done: seen.append(done), map)
    return corpus, tuple(seen)
