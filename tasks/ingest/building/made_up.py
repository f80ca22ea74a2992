"""The part that synthetic corpora share: distinct sequences drawn from a seed, one corpus for each lag.

The only input of a synthetic corpus is its specification, a short JSON text, which is hashed and stored like a file.
Random numbers are the raw bits of numpy's PCG64. numpy keeps that stream from version to version, but not the streams
of its distributions (NEP 19). So the same specification gives the same corpus everywhere.

What this does not do: define a sequence (`corpora/temporal_order.py`, `corpora/adding.py`).
"""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np

from infra.errors import ConfigurationError, CorpusError
from models.data_kinds import Kind
from models.seeds import seed_for
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building.recipe import HERE, BuildProgress, MapFunction, Recipe, Source

LAGS = (20, 50, 100, 150, 200)
"""Lengths T of the sequences; each length is a corpus of its own."""
SHORTEST_LAG = 10
SIZES = {"train": 10_000, "valid": 1_000, "test": 1_000}
SEED = 0


class Bits:
    """Random numbers that are the same with every version of numpy.

    Args:
        names: of the stream.
    """

    def __init__(self, *names: object) -> None:
        self._bits = np.random.PCG64(seed_for(*names))

    def uniform(self, *shape: int) -> np.ndarray:
        """Numbers in [0, 1), float64, multiples of 2^-53."""
        raw = np.asarray(self._bits.random_raw(int(np.prod(shape))), np.uint64)
        numbers: np.ndarray = (raw >> np.uint64(11)) * 2.0**-53
        return numbers.reshape(shape)

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        """Integers in [low, high], both ends included."""
        steps: np.ndarray = np.floor((high - low + 1) * self.uniform(*shape)).astype(np.int64)
        return low + steps


class Draw(Protocol):
    """A function that draws `count` sequences of a lag T: an array (count, T + 1, ...)."""

    def __call__(self, count: int, lag: int, bits: Bits) -> np.ndarray:
        """Draw the sequences; `bits` is the only source of random numbers."""


def made_up_recipe(family: str, kind: Kind, lag: int, rules: int, draw: Draw, told: Mapping[str, Any]) -> Recipe:
    """The recipe of one corpus of a family of synthetic tasks.

    Args:
        family: name of the family; the corpus is called FAMILY-LAG.
        kind: of the corpus.
        lag: length T of the sequences.
        rules: version of the drawing rules.
        draw: draws sequences.
        told: `origin`, and `vocabulary` for corpora of symbols.
    """
    name = f"{family}-{lag}"
    return Recipe(
        name=name,
        kind=kind,
        rules=rules,
        read_inputs=partial(_asked, name, lag),
        build=partial(_build, family, kind, name, draw, told),
        generated=True,
    )


def _asked(name: str, lag: int, source: Source = HERE) -> dict[str, bytes]:
    if source.address is not None or source.manifest is not None:
        raise ConfigurationError(f"corpus {name}: it is made up from a seed, and is not read from anywhere")
    return {f"{name}.json": json.dumps({"lag": lag, "seed": SEED, "sequences": SIZES}, sort_keys=True).encode()}


def _build(
    family: str,
    kind: Kind,
    name: str,
    draw: Draw,
    told: Mapping[str, Any],
    inputs: Mapping[str, bytes],
    progress: BuildProgress,
    map_function: MapFunction,
) -> Corpus:
    """Draw the sequences; the first go to train, the next to valid, the last to test."""
    lag, seed, sizes = _read(name, inputs)
    sequences = distinct(draw, lag, sum(sizes.values()), Bits(seed, family, lag))
    progress(1, 1)
    ends = np.cumsum([sizes[split] for split in SPLITS])[:-1]
    parts = dict(zip(SPLITS, np.split(sequences, ends), strict=True))
    return Corpus(
        name=name,
        kind=kind,
        splits={split: tuple(part) for split, part in parts.items()},
        titles={split: tuple(f"{split} {number}" for number in range(len(part))) for split, part in parts.items()},
        vocabulary=told.get("vocabulary", ()),
        source={
            "origin": told["origin"],
            "family": family,
            "lag": lag,
            "seed": seed,
            "scored": "the last step of each sequence",
            "quarantined": {},
            "statistics": {
                split: {"pieces": len(part), "steps": part.shape[0] * part.shape[1]} for split, part in parts.items()
            },
        },
    )


def _read(name: str, inputs: Mapping[str, bytes]) -> tuple[int, int, dict[str, int]]:
    try:
        asked = json.loads(inputs[f"{name}.json"])
        lag, seed = int(asked["lag"]), int(asked["seed"])
        sizes = {split: int(asked["sequences"][split]) for split in SPLITS}
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"corpus {name}: wants {name}.json with lag, seed and sequences of each split") from error
    if lag < SHORTEST_LAG or min(sizes.values()) < 1:
        raise CorpusError(f"corpus {name}: wants a lag from {SHORTEST_LAG} and a sequence in each split")
    return lag, seed, sizes


def distinct(draw: Draw, lag: int, wanted: int, bits: Bits) -> np.ndarray:
    """A number of distinct sequences, in the order in which each was first drawn.

    Args:
        draw: draws sequences.
        lag: length T.
        wanted: number of sequences.
        bits: source of the random numbers.
    """
    drawn = draw(wanted, lag, bits)
    while len(first := np.unique(drawn, axis=0, return_index=True)[1]) < wanted:
        drawn = np.concatenate([drawn, draw(wanted, lag, bits)])
    kept: np.ndarray = drawn[np.sort(first)[:wanted]]
    return kept
