"""Count baselines against counting by hand, and on the official rolls where they are."""

import io
import math
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.baselines import baselines, score_baseline
from models.randomness import generator_for
from tests.models import examples, naive
from tests.models.pooled import summary

DATA = Path(os.environ.get("COUNTERPOINT_DATA", Path(__file__).parents[4] / "shared" / "data"))
ROLLS = DATA / "music-rolls" / "JSB Chorales.pickle"


def test_frequencies_of_notes_and_of_symbols():
    rolls = examples.music([4, 1, 6], width=3)
    frames = [frame for roll in rolls for frame in roll.tolist()]
    expected = [(sum(frame[d] for frame in frames) + 1) / (len(frames) + 2) for d in range(3)]
    ours = frequencies(Pieces.from_arrays(rolls), 3)
    assert ours.dtype == torch.float64
    assert ours.tolist() == pytest.approx(expected, rel=1e-14)
    texts = [np.array([0, 2, 2], np.int32), np.array([2], np.int32)]
    assert frequencies(Pieces.from_arrays(texts), 5).tolist() == pytest.approx([2 / 9, 1 / 9, 4 / 9, 1 / 9, 1 / 9])


def test_probabilities_of_every_baseline():
    rolls = examples.music([4, 1, 6], width=3)
    made = baselines(Pieces.from_arrays(rolls), 3)
    assert list(made) == ["uniform", "one-probability", "note-probability"]
    on = sum(int(roll.sum()) for roll in rolls)
    assert made["uniform"].tolist() == [0.5] * 3
    assert made["one-probability"].tolist() == pytest.approx([on / 33] * 3)
    assert torch.equal(made["note-probability"], frequencies(Pieces.from_arrays(rolls), 3))
    made = baselines(Pieces.from_arrays(examples.text([30], width=4)), 4)
    assert list(made) == ["uniform", "unigram"]
    assert all(p.dtype == torch.float64 and p.sum().item() == pytest.approx(1) for p in made.values())


def test_scores_of_notes_equal_a_loop():
    rolls = examples.music([3, 1, 7], width=3)
    p = [0.2, 0.5, 0.7]
    ours = score_baseline(torch.tensor(p, dtype=torch.float64), Pieces.from_arrays(rolls), generator_for(0))
    for i, roll in enumerate(rolls):
        terms = [math.log(q if on else 1 - q) for frame in roll for on, q in zip(frame, p, strict=True)]
        assert ours.log_likelihood[i] == pytest.approx(math.fsum(terms), rel=1e-13)
    assert ours.steps.tolist() == [3, 1, 7]


def test_scores_of_symbols_equal_a_loop():
    texts = examples.text([3, 1, 7], width=4)
    p = [0.1, 0.2, 0.3, 0.4]
    ours = score_baseline(torch.tensor(p, dtype=torch.float64), Pieces.from_arrays(texts), generator_for(0))
    assert ours.log_likelihood.tolist() == pytest.approx([math.fsum(math.log(p[w]) for w in text) for text in texts])
    assert ours.accuracy is None


def test_accuracy_of_certain_notes_equals_sets():
    rolls = examples.music([3, 1, 7], width=4)
    sure = torch.tensor([1 - 1e-16, 1e-300, 1 - 1e-16, 1e-300], dtype=torch.float64)
    ours = score_baseline(sure, Pieces.from_arrays(rolls), generator_for(0))
    for i, roll in enumerate(rolls):
        pairs = [naive.matching(set(np.flatnonzero(frame)), {0, 2}) for frame in roll]
        assert ours.accuracy[i] == pytest.approx(sum(pair[0] for pair in pairs))
        assert ours.union_accuracy[i] == pytest.approx(sum(pair[1] for pair in pairs))


def test_expected_accuracy_of_uniform_guessing():
    # Two notes: all four samples are as likely, so the mean over them is known exactly.
    frames = [set(), {0}, {0, 1}, {1}]
    samples = [set(), {0}, {1}, {0, 1}]
    expected = sum(naive.matching(true, sampled)[0] for true in frames for sampled in samples) / 16
    roll = np.array([[0, 0], [1, 0], [1, 1], [0, 1]] * 5000, np.uint8)
    half = torch.full((2,), 0.5, dtype=torch.float64)
    ours = summary("music", score_baseline(half, Pieces.from_arrays([roll]), generator_for(1)))
    assert ours["log_likelihood"] == pytest.approx(2 * math.log(0.5))
    assert ours["accuracy"] == pytest.approx(100 * expected, abs=2)


class _RollsUnpickler(pickle.Unpickler):
    """Reads integers and lists of the official pickle, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "dtype"):
            return lambda code, *_: np.dtype(code)
        if (module, name) == ("numpy.core.multiarray", "scalar"):
            return lambda dtype, raw: np.frombuffer(raw.encode("latin1"), dtype)[0]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of piano-rolls")


@pytest.fixture(scope="module")
def chorales() -> dict[str, Pieces]:
    """The three splits of the official JSB chorales."""
    if not ROLLS.is_file():
        pytest.skip("no music-rolls/JSB Chorales.pickle: set COUNTERPOINT_DATA to the folder that holds music-rolls/")
    splits = _RollsUnpickler(io.BytesIO(ROLLS.read_bytes()), encoding="latin1").load()
    return {split: Pieces.from_arrays([_roll(piece) for piece in pieces]) for split, pieces in splits.items()}


def _roll(piece: list[tuple[int, ...]]) -> np.ndarray:
    roll = np.zeros((len(piece), 88), np.uint8)
    for t, notes in enumerate(piece):
        roll[t, [note - 21 for note in notes]] = 1
    return roll


def test_the_unpickler_refuses_everything_else():
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        _RollsUnpickler(io.BytesIO(pickle.dumps(os.getcwd))).load()


def test_the_official_chorales_have_their_pieces_and_frames(chorales):
    sizes = {split: (len(pieces), len(pieces.data)) for split, pieces in chorales.items()}
    assert sizes == {"train": (229, 13_807), "valid": (76, 4_602), "test": (77, 4_725)}


@pytest.mark.parametrize(
    ("name", "log_likelihood", "accuracy"),
    [
        ("uniform", -61.00, (4.42, 0.15)),
        ("one-probability", -15.93, None),
        ("note-probability", -11.06, (15.37, 0.25)),
    ],
)
def test_baselines_of_the_official_chorales(chorales, name, log_likelihood, accuracy):
    probability = baselines(chorales["train"], 88)[name]
    metrics = summary("music", score_baseline(probability, chorales["test"], generator_for(0, name)))
    assert round(metrics["log_likelihood"], 2) == log_likelihood
    if accuracy is not None:
        published, tolerance = accuracy
        assert metrics["accuracy"] == pytest.approx(published, abs=tolerance)
    assert metrics["union_accuracy"] <= metrics["accuracy"]
