"""Random corpora for the synthetic campaign: music is a random walk of one chord, text is drawn from few symbols."""

from typing import Any

import numpy as np

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.report.numbers.portrait import Portrait, portray, split_statistics
from tasks.report.numbers.resamples import numpy_generator


def synthetic_corpus(name: str, kind: str, test_pieces: int, mean_steps: int, vocabulary: int) -> Corpus:
    """A random corpus, the same for the same name and kind.

    Valid and test have `test_pieces` pieces each, and train eight times as many; the mean length of a piece is
    `mean_steps`.
    """
    rng = numpy_generator(0, name, kind)
    splits = {}
    for split, pieces in {"train": test_pieces * 8, "valid": test_pieces, "test": test_pieces}.items():
        away = rng.integers(0, mean_steps // 2, pieces // 2)
        lengths = mean_steps + np.concatenate([away, -away, np.zeros(pieces % 2, int)])
        splits[split] = tuple(_roll(rng, n) if kind == "music" else _text(rng, n, vocabulary) for n in lengths)
    symbols = ("<unk>", " ", "\n" if kind == "characters" else "<eos>", *(f"s{n}" for n in range(vocabulary)))
    return Corpus(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        splits=splits,
        titles={split: tuple(f"{split} {n}" for n in range(len(splits[split]))) for split in SPLITS},
        vocabulary=symbols[:vocabulary],
        source=_source(kind),
    )


def describe_corpus(corpus: Corpus) -> tuple[dict[str, Any], Portrait]:
    """The facts and the portrait of a corpus, as `Results` has them."""
    facts = {
        "kind": corpus.kind, "digest": corpus.digest, "vocabulary": len(corpus.vocabulary),
        "pieces": {split: len(corpus.splits[split]) for split in SPLITS},
        "steps": {split: corpus.steps(split) for split in SPLITS},
        "source": dict(corpus.source), "statistics": split_statistics(corpus),
    }  # fmt: skip
    return facts, portray(corpus)


def _source(kind: str) -> dict[str, Any]:
    shared = {"origin": "made up for tests", "rules": 3, "inputs": 413}
    if kind != "music":
        return shared | {"quarantined": {}, "statistics": {split: {"lines": 12345} for split in SPLITS}}
    reasons = {f"bwv{n}.mxl": f"{5 + n % 2} parts, not 4" for n in range(45)}
    broken = {"bwv45.mxl": "bwv45.mxl: not a zip"}
    return shared | {"quarantined": reasons | broken, "near_duplicates": 17}


def _roll(rng: np.random.Generator, length: int) -> np.ndarray:
    roll = np.zeros((length, 88), np.uint8)
    walk = 30 + np.abs(rng.integers(-2, 3, length).cumsum()) % 20
    for voice in (0, 4, 7, 12):
        roll[np.arange(length), walk + voice] = 1
    roll[rng.random(length) < 0.03] = 0
    return roll


def _text(rng: np.random.Generator, length: int, vocabulary: int) -> np.ndarray:
    return (vocabulary * rng.random(length) ** 3).astype(np.int32)
