"""A trial goes on from where one with fewer epochs ended: to the same bits as from its own start."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from models.data.chunks import Pieces
from models.training.members import Members
from models.training.progress import Checkpoint, CheckpointError, grown
from models.training.run import Run, Training, train_stack
from models.training.updates.gradient_descent import GradientDescent
from models.trial import Trial
from tests.models import examples
from tests.models.stopping import bits, stored

LENGTHS = [9, 4, 6, 1, 7, 3]
SPLITS = {
    output: (Pieces.from_arrays(make(LENGTHS, seed=1)), Pieces.from_arrays(make([8, 5], seed=2)))
    for output, make in (("notes", examples.sparse), ("softmax", examples.text))
}
KINDS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "momentum": {"letters": "CLRM"},
    "Adam": {"letters": "C", "optimizer": "Adam"},
    "HF": {"letters": "LR", "optimizer": "HF", "learning_rate": 5.0},
    "dropout": {"input_dropout": 0.3, "output_dropout": 0.3},
    "text": {"letters": "M", "output": "softmax", "output_dropout": 0.3, "initial_state": "zero"},
    "transposition": {"letters": "C", "transposition": 2},
    "averaging": {"letters": "M", "averaging": 0.8},
    "LSTM": {"core": "lstm", "letters": "CM"},
    "RBM, data": {"output": "rbm", "output_settings": examples.RBM_SETTINGS["data"], "learning_rate": 0.01},
    "RBM, persistent": {
        "letters": "M",
        "output": "rbm",
        "output_settings": examples.RBM_SETTINGS["persistent"],
        "output_dropout": 0.2,
        "learning_rate": 0.01,
    },
    "pre-training": {"letters": "MP", "output": "nade", "output_dropout": 0.2, "learning_rate": 0.02},
    "pre-training, all": {
        "letters": "P",
        "output": "nade",
        "learning_rate": 0.02,
        "transposition": 2,
        "averaging": 0.8,
    },
}
# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
    pytest.mark.usefixtures("coarse_monitor"),
]


def _trial(kind: str, **changes: Any) -> Trial:
    return examples.trial(**({"epochs": 3, "patience": 4} | KINDS[kind] | changes))


def _splits(trial: Trial) -> tuple[Pieces, Pieces]:
    return SPLITS["softmax" if trial.output == "softmax" else "notes"]


def _trained(trials: Sequence[Trial], checkpoints: Sequence[Checkpoint | None] = ()) -> list[Training]:
    keys = {trial.key for trial in trials}
    ended = train_stack(trials, *_splits(trials[0]), 5, checkpoints=checkpoints, keeping=keys)
    return [ended[trial.key] for trial in trials]


def _end(training: Training) -> Checkpoint:
    assert training.end is not None
    return stored(training.end)


def _bits(training: Training) -> tuple[Any, ...]:
    """Of the end too, so that a trial may go on from one that has gone on."""
    end = _end(training)
    tensors = {name: value.numpy().tobytes() for name, value in end.tensors.items()}
    return bits(replace(training, end=None)), repr(end.progress), end.key, tensors


def _grown(trial: Trial, *epochs: int) -> Training:
    """Train for so many epochs, go on for so many, and so on until the trial's own end."""
    shorter, checkpoint = None, None
    for many in epochs:
        now = replace(trial, epochs=many)
        (training,) = _trained([now], [grown(checkpoint, shorter, now) if shorter and checkpoint else None])
        shorter, checkpoint = now, _end(training)
    (training,) = _trained([trial], [grown(checkpoint, shorter, trial)])
    return training


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_with_the_bits_that_it_has_from_its_start(kind):
    trial = _trial(kind)
    (whole,) = _trained([trial])
    assert whole.curve[-1].epoch == 3
    assert _bits(_grown(trial, 1, 2)) == _bits(whole)


@pytest.mark.parametrize("kind", ["momentum", "RBM, persistent", "pre-training"])
def test_a_stack_goes_on_together(kind):
    trials = [_trial(kind, seed=seed) for seed in (1, 2)]
    whole = _trained(trials)
    short = [replace(trial, epochs=2) for trial in trials]
    ends = [_end(training) for training in _trained(short)]
    checkpoints = [grown(*each) for each in zip(ends, short, trials, strict=True)]
    assert list(map(_bits, _trained(trials, checkpoints))) == list(map(_bits, whole))


def test_members_of_a_stack_go_on_from_other_places():
    """One from an end, one from the middle of a shorter trial, one that is over already, and one from its start."""
    first, second, over, fourth = trials = [_trial("momentum", seed=seed) for seed in (1, 2, 3, 4)]
    over = trials[2] = replace(over, patience=1, learning_rate=1e-30)
    short = [replace(trial, epochs=epochs) for trial, epochs in ((first, 1), (second, 2), (over, 2))]
    run = Run([short[1]], *_splits(second), 5)
    while run.progress()[0].updates < 2:
        assert run.advance()
    (one,), (ended,) = _trained([short[0]]), _trained([short[2]])
    assert ended.curve[-1].epoch < 2, "it ended by patience"
    found = [_end(one), stored(run.checkpoints()[0]), _end(ended)]
    checkpoints = [grown(*each) for each in zip(found, short, trials, strict=False)]
    together = Run(trials, *_splits(fourth), 5, [*checkpoints, None])
    assert together.trials == (first, second, fourth)
    assert list(together.ended) == [over.key]
    while together.advance():
        pass
    for trial in trials:
        (alone,) = _trained([trial])
        ours = together.ended[trial.key]
        assert (ours.status, ours.updates, ours.best.epoch) == (alone.status, alone.updates, alone.best.epoch)
        valid = [[epoch.valid for epoch in training.curve] for training in (ours, alone)]
        assert valid[0] == pytest.approx(valid[1], rel=2e-4)


def test_where_patience_had_ended_the_shorter_one_no_epoch_is_trained(monkeypatch):
    trial = _trial("momentum", learning_rate=0.3, epochs=30, patience=2)
    (whole,) = _trained([trial])
    last = whole.curve[-1].epoch
    assert whole.best.epoch < last < 29
    short = replace(trial, epochs=last + 1)
    (ended,) = _trained([short])
    monkeypatch.setattr(GradientDescent, "update", None)
    monkeypatch.setattr(Members, "end_epoch", None)
    run = Run([trial], *_splits(trial), 5, [grown(_end(ended), short, trial)], keeping=[trial.key])
    assert run.trials == ()
    assert _bits(run.ended[trial.key]) == _bits(whole)


def test_a_trial_that_is_over_already_has_its_outcome_again():
    for kind in ("momentum", "pre-training"):
        trial = _trial(kind)
        (whole,) = _trained([trial])
        (again,) = _trained([trial], [_end(whole)])
        assert _bits(again) == _bits(whole)


def test_an_end_is_there_only_where_it_is_asked_for_and_nothing_diverged():
    kept, other = (_trial("SGD", seed=seed) for seed in (1, 2))
    ended = train_stack([kept, other], *_splits(kept), 5, keeping=[kept.key])
    assert (ended[kept.key].end is None, ended[other.key].end is None) == (False, True)
    (wild,) = _trained([_trial("SGD", learning_rate=1e8)])
    assert (wild.status, wild.end) == ("diverged", None)


CHANGES = {"seed": 2, "patience": 3, "decay": 0.4, "learning_rate": 0.06, "techniques": examples.techniques("C")}


@pytest.mark.parametrize("name", CHANGES)
def test_trials_that_differ_in_more_than_epochs_are_refused(name):
    longer = _trial("SGD")
    shorter = replace(longer, epochs=2, **{name: CHANGES[name]})
    (training,) = _trained([shorter])
    with pytest.raises(CheckpointError, match=f"^checkpoint: of a trial with another {name}: only epochs may differ$"):
        grown(_end(training), shorter, longer)


def test_only_a_longer_trial_goes_on_and_only_from_its_own_shorter_one():
    longer = _trial("SGD")
    (training,) = _trained([longer])
    for epochs in (2, 3):
        with pytest.raises(CheckpointError, match=f"^checkpoint: of a trial with 3 epochs, and this one has {epochs}"):
            grown(_end(training), longer, replace(longer, epochs=epochs))
    with pytest.raises(CheckpointError, match="^checkpoint: of the trial "):
        grown(_end(training), replace(longer, epochs=2), longer)
