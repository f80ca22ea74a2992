"""What the made-up corpora share: random numbers, distinct sequences, what is asked and what is refused."""

import json

import numpy as np
import pytest

from infra.errors import ConfigurationError, CorpusError
from models.seeds import seed_for
from tasks.ingest.building.made_up import SHORTEST_LAG, Bits, distinct
from tasks.ingest.building.recipe import Source
from tasks.ingest.corpora import find_recipe


def test_uniform_numbers_are_the_leading_bits_of_the_generator() -> None:
    raw = np.random.PCG64(seed_for("a", 1)).random_raw(6).tolist()
    assert Bits("a", 1).uniform(2, 3).ravel().tolist() == [(number >> 11) / 2**53 for number in raw]


def test_integers_have_both_ends_and_are_as_likely() -> None:
    numbers = Bits("b").integers(3, 6, 40_000)
    counts = np.bincount(numbers)
    assert counts[:3].tolist() == [0, 0, 0]
    assert len(counts) == 7
    assert np.abs(counts[3:] - 10_000).max() < 4.5 * (40_000 * 0.25 * 0.75) ** 0.5


def test_no_sequence_comes_twice_and_the_order_is_that_of_the_drawing() -> None:
    def draw(count: int, lag: int, bits: Bits) -> np.ndarray:
        return bits.integers(0, lag, count, 1)

    every = distinct(draw, 7, 8, Bits("c"))
    assert sorted(every.ravel().tolist()) == list(range(8))
    stream = Bits("c").integers(0, 7, 8, 1).ravel().tolist()
    assert every.ravel().tolist()[: len(set(stream))] == list(dict.fromkeys(stream))


@pytest.mark.parametrize("source", [Source("elsewhere.zip"), Source(manifest="table.csv")])
def test_a_source_is_refused(source: Source) -> None:
    recipe = find_recipe("temporal-order-20")
    assert recipe is not None
    with pytest.raises(ConfigurationError, match="^corpus temporal-order-20: it is made up from a seed"):
        recipe.read_inputs(source)


@pytest.mark.parametrize("change", [{"lag": 9}, {"lag": "long"}, {"sequences": {"train": 1}}])
def test_what_cannot_be_asked_is_refused_in_one_line(change: dict[str, object]) -> None:
    recipe = find_recipe("adding-20")
    assert recipe is not None
    asked = json.loads(recipe.read_inputs(Source())["adding-20.json"]) | change
    with pytest.raises(CorpusError, match="^corpus adding-20: wants"):
        recipe.build({"adding-20.json": json.dumps(asked).encode()}, lambda *_: None, map)


def test_the_shortest_lag_may_be_asked() -> None:
    recipe = find_recipe("adding-20")
    assert recipe is not None
    asked = {"lag": SHORTEST_LAG, "seed": 1, "sequences": {"train": 3, "valid": 1, "test": 1}}
    corpus = recipe.build({"adding-20.json": json.dumps(asked).encode()}, lambda *_: None, map)
    assert [len(corpus.splits[split]) for split in ("train", "valid", "test")] == [3, 1, 1]


def test_what_is_asked_decides_what_is_made() -> None:
    recipe = find_recipe("adding-20")
    assert recipe is not None
    asked = json.loads(recipe.read_inputs(Source())["adding-20.json"])
    few = asked | {"sequences": {"train": 5, "valid": 2, "test": 3}}
    made = [
        recipe.build({"adding-20.json": json.dumps(it).encode()}, lambda *_: None, map)
        for it in (few, few, few | {"seed": 1}, few | {"lag": 30})
    ]
    assert [len(made[0].splits[split]) for split in ("train", "valid", "test")] == [5, 2, 3]
    assert made[0].digest == made[1].digest
    assert len({corpus.digest for corpus in made}) == 3
    assert made[3].splits["train"][0].shape == (31, 3)
