"""A training that came to its end and taught nothing is a result of its own: no better than counting."""

import math

import numpy as np
import pytest

from models.data.chunks import Pieces
from models.evaluation.baselines import counting
from models.outputs import NadeSettings
from models.techniques import Pretraining
from models.training.run import Training, train, train_stack
from models.trial import Trial
from tests.models import examples

WALK = np.tile(np.eye(5, dtype=np.uint8), (6, 1))
PIECES = Pieces.from_arrays([WALK, WALK[2:], WALK[:20]])
"""One note after the other: counting knows nothing of which comes next."""
STILL, SLOW, GOOD = 1e-30, 1e-4, 0.05
"""Learning rates: moves no float32 weight; gets better at every epoch, and not as good as counting; learns."""


def _train(rate: float, **changes: object) -> Training:
    return train(_trial(rate, **changes), PIECES, PIECES, 5)


def _trial(rate: float, **changes: object) -> Trial:
    return examples.trial(hidden_size=16, learning_rate=rate, **changes)


def test_counting_is_the_baseline_by_hand():
    train, valid = Pieces.from_arrays([np.array([[1, 0], [1, 0], [1, 1]])]), Pieces.from_arrays([np.array([[1, 1]])])
    assert counting(train, valid, 2) == pytest.approx(math.log(4 / 5) + math.log(2 / 5))
    text = [Pieces.from_arrays([np.array(symbols, np.int32)]) for symbols in ([0, 0, 1], [0, 2])]
    assert counting(*text, 3) == pytest.approx((math.log(3 / 6) + math.log(1 / 6)) / 2)


def test_a_network_that_never_got_better_than_as_it_started_is_untrained():
    result = _train(STILL)
    assert (result.status, result.diverged_at, result.best.epoch) == ("untrained", None, 0)
    assert result.updates == result.curve[-1].update > 0


def test_a_network_that_got_better_but_not_as_good_as_counting_is_untrained():
    result, least = _train(SLOW), counting(PIECES, PIECES, 5)
    assert result.curve[0].valid < result.best.valid < least
    assert (result.status, result.best.epoch) == ("untrained", 3)
    good = _train(GOOD)
    assert good.best.valid > least
    assert good.status == "completed"


def test_better_than_counting_from_the_start_and_never_better_than_that_is_untrained(monkeypatch):
    monkeypatch.setattr("models.training.outcome.counting", lambda *_: -100.0)
    assert _train(STILL).status == "untrained"
    assert _train(SLOW).status == "completed"


@pytest.mark.usefixtures("coarse_monitor")
def test_an_estimated_likelihood_is_not_compared_with_counting():
    settings = {"output": "rbm", "output_settings": examples.RBM_SETTINGS["data"]}
    slow = _train(SLOW, **settings)
    assert slow.best.valid < counting(PIECES, PIECES, 5)
    assert (slow.status, slow.best.epoch) == ("completed", 3)
    assert _train(1.0, **settings).status == "untrained", "it blows up, and does not come back as far as it started"


def test_answers_by_chance_are_what_is_measured_where_the_last_step_alone_is_asked_for():
    text = Pieces.from_arrays(examples.text([6] * 8), last_alone=True)
    assert counting(text, text, 5) is None
    slow = train(_trial(SLOW, output="softmax"), text, text, 5)
    assert (slow.status, slow.best.epoch) == ("completed", 3)
    assert train(_trial(STILL, output="softmax"), text, text, 5).status == "untrained"


@pytest.mark.parametrize(("rate", "status"), [(0.3, "completed"), (1.0, "untrained")])
def test_with_pre_training_the_network_it_begins_with_may_be_the_best(rate, status):
    chords = np.repeat(np.eye(3, dtype=np.uint8), 2, axis=1)
    draws = [np.random.default_rng(seed) for seed in (1, 2)]
    splits = [Pieces.from_arrays([chords[draw.integers(0, 3, n)] for n in (9, 8, 12, 7)]) for draw in draws]
    techniques = (*examples.techniques("M"), Pretraining(4, 1))
    settings = {"output": "nade", "output_settings": NadeSettings(6), "techniques": techniques, "patience": 1}
    result = train(examples.trial(learning_rate=rate, **settings), *splits, 6)
    assert result.best.epoch == 0
    assert (result.best.valid > counting(*splits, 6)) == (status == "completed")
    assert result.status == status


def test_members_of_a_stack_are_told_apart():
    trials = [_trial(rate) for rate in (GOOD, SLOW, 1e8, STILL)]
    ended = train_stack(trials, PIECES, PIECES, 5)
    assert [ended[trial.key].status for trial in trials] == ["completed", "untrained", "diverged", "untrained"]
