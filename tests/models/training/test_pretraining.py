"""Trainings that begin with what smaller ones have learned: the same bits as these alone, and at every stop."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import score
from models.network import Network
from models.outputs import NadeSettings, Settings
from models.techniques import Pretraining
from models.training.pretraining import preparations, taken_over
from models.training.progress import Checkpoint, CheckpointError
from models.training.run import Run, Training, train
from models.trial import Trial
from tests.models import examples
from tests.models.stopping import bits, interrupted, stored

pytestmark = pytest.mark.usefixtures("coarse_monitor")

SPLITS = [
    Pieces.from_arrays(examples.music(lengths, seed=seed)) for seed, lengths in ((1, [9, 4, 6, 1, 7, 3]), (2, [8, 5]))
]
SETTINGS: dict[str, Settings] = {"nade": NadeSettings(6), "rbm": examples.RBM_SETTINGS["persistent"]}
OWN = {
    "nade": {"output_bias", "hidden_bias", "from_hidden", "to_hidden"},
    "rbm": {"output_bias", "units_bias", "coupling"},
}
CORE = {"input_weight", "recurrent_weight", "bias", "initial_state"}


def _trial(frame: int, recurrent: int, letters: str = "", output: str = "nade", **changes: Any) -> Trial:
    techniques = (*examples.techniques(letters), Pretraining(frame, recurrent))
    own = {"output_settings": SETTINGS[output], "learning_rate": 0.02}
    return examples.trial(techniques=techniques, output=output, **(own | changes))


def _start(trial: Trial) -> dict[str, torch.Tensor]:
    """The weights that the training of the whole begins with, as they are in its checkpoint."""
    run = Run([trial], *SPLITS, 5)
    while not run.progress()[0].curve or run.progress()[0].phase < len(preparations(trial)):
        assert run.advance()
    network = Network(trial, frequencies(SPLITS[0], 5).float())
    return {name: value[0] for name, value in network.parameters.split(run.checkpoints()[0].tensors["theta"]).items()}


@pytest.mark.parametrize(
    ("frame", "recurrent", "letters", "output"),
    [(2, 3, "", "nade"), (2, 3, "CLRM", "nade"), (2, 3, "CLRM", "rbm"), (2, 0, "CLRM", "nade"), (0, 3, "CLRM", "nade")],
)
def test_it_begins_with_what_the_phases_alone_give_to_the_bit(frame, recurrent, letters, output):
    trial = _trial(frame, recurrent, letters, output, output_dropout=0.2)
    start = _start(trial)
    expected = dict(Network(trial, frequencies(SPLITS[0], 5).float()).parameters.member(0))
    updates = 0
    for each in preparations(trial):
        alone = train(each.trial, *SPLITS, 5)
        names = OWN[output] if each.phase == "frame" else CORE
        expected |= {name: alone.weights[name] for name in names}
        updates += alone.updates
    assert start.keys() == expected.keys()
    assert [name for name, value in expected.items() if not torch.equal(start[name], value)] == []
    result = train(trial, *SPLITS, 5)
    assert result.curve[0].update == updates > 0
    assert result.updates == updates + (result.curve[-1].update - updates)
    network = Network(trial, frequencies(SPLITS[0], 5).float())
    for name, value in network.parameters.member(0).items():
        value.copy_(expected[name])
    assert result.curve[0].valid == score(network, SPLITS[1]).mean_log_likelihood
    assert result.diagnoses[0].moment == "start"


def test_the_phases_are_ordinary_trials_of_the_same_seed():
    trial = _trial(2, 3, "CLRM", output="rbm", output_dropout=0.2, input_dropout=0.1, core="rnn", seed=9)
    frame, recurrent = preparations(trial)
    assert (frame.phase, frame.trial.variant) == ("frame", "frame/rbm/SGD+CM")
    assert (recurrent.phase, recurrent.trial.variant) == ("recurrent", "rnn/bernoulli/SGD+CLRM")
    assert (frame.trial.epochs, recurrent.trial.epochs, trial.epochs) == (2, 3, 3)
    assert frame.trial.output_settings == trial.output_settings
    assert (recurrent.trial.hidden_size, recurrent.trial.input_dropout) == (7, 0.1)
    for each in (frame.trial, recurrent.trial):
        same = ("corpus", "optimizer", "learning_rate", "cost", "chunk", "batch", "decay", "patience", "seed")
        assert [name for name in same if getattr(each, name) != getattr(trial, name)] == []
        assert preparations(each) == ()
        assert Trial.from_json(each.to_json()) == each


@pytest.mark.parametrize("output", ["nade", "rbm"])
def test_all_that_no_state_is_multiplied_with_comes_from_the_frames(output):
    network = Network(_trial(1, 1, output=output), frequencies(SPLITS[0], 5).float())
    assert taken_over(network, "frame") == OWN[output]
    assert taken_over(network, "recurrent") == CORE


@pytest.mark.parametrize("core", ["lstm", "gru"])
def test_other_cores_are_prepared_too(core):
    trial = _trial(1, 2, "CM", core=core)
    alone = train(preparations(trial)[1].trial, *SPLITS, 5).weights
    start = _start(trial)
    assert all(torch.equal(start[name], alone[name]) for name in alone if not name.startswith("output"))


def _until(trial: Trial, steps: int, checkpoint: Checkpoint | None) -> Checkpoint | Training:
    run = Run([trial], *SPLITS, 5, [checkpoint])
    for _ in range(steps):
        if not run.advance():
            return run.ended[trial.key]
    return stored(run.checkpoints()[0])


@settings(max_examples=4, deadline=None)
@given(
    steps=st.lists(st.integers(0, 15), min_size=1, max_size=5),
    phases=st.sampled_from([(2, 2), (1, 0), (0, 2), (3, 1)]),
    letters=st.sampled_from(["", "CM", "L", "CLRM"]),
    output=st.sampled_from(["nade", "rbm"]),
    dropout=st.sampled_from([0.0, 0.3]),
    learning_rate=st.sampled_from([0.02, 0.3, 1e4]),
)
def test_bits_are_the_same_wherever_it_is_stopped(steps, phases, letters, output, dropout, learning_rate):
    changes = {"output_dropout": dropout, "learning_rate": learning_rate, "patience": 2}
    trial = _trial(*phases, letters, output, **changes)
    result, _ = interrupted(trial, SPLITS, steps, _until)
    assert bits(result) == bits(train(trial, *SPLITS, 5))


@pytest.mark.parametrize("output", ["nade", "rbm"])
def test_a_stop_after_every_single_step_of_every_phase(output):
    trial = _trial(2, 3, "CLM", output)
    result, stops = interrupted(trial, SPLITS, [1] * 1000, _until)
    assert bits(result) == bits(train(trial, *SPLITS, 5))
    # A step is an update, the scoring of a start, or that of an epoch's end; the last one is no stop.
    assert stops == result.updates + 3 + (2 + 3 + 3) - 1


def _together(trials: Sequence[Trial], checkpoints: Sequence[Checkpoint | None] = ()) -> list[Training]:
    run = Run(trials, *SPLITS, 5, checkpoints)
    while run.advance():
        pass
    return [run.ended[trial.key] for trial in trials]


def _assert_same(ours: Training, theirs: Training) -> None:
    assert (ours.status, ours.updates, len(ours.curve)) == (theirs.status, theirs.updates, len(theirs.curve))
    for mine, its in zip(ours.curve, theirs.curve, strict=True):
        assert mine.update == its.update
        assert mine.valid == pytest.approx(its.valid, rel=2e-4)
    for name, weight in theirs.weights.items():
        torch.testing.assert_close(ours.weights[name], weight, rtol=1e-3, atol=1e-4)


STACK = [
    _trial(2, 3, "CM"),
    _trial(0, 2, seed=2),
    examples.trial("M", output="nade", output_settings=SETTINGS["nade"], seed=3, learning_rate=0.02),
    _trial(1, 3, "CM"),  # its second phase is that of the first
    _trial(3, 0, "L", seed=4, learning_rate=0.01),
]


@cache
def _alone(trial: Trial) -> Training:
    return train(trial, *SPLITS, 5)


def test_members_of_a_stack_are_prepared_as_alone():
    for ours, trial in zip(_together(STACK), STACK, strict=True):
        _assert_same(ours, _alone(trial))


@pytest.mark.parametrize("stop", [1, 13, 22, 45])
def test_members_go_on_from_their_checkpoints_in_other_company(stop):
    run = Run(STACK, *SPLITS, 5)
    for _ in range(stop):
        assert run.advance()
    saved = [stored(checkpoint) for checkpoint in run.checkpoints()]
    assert [checkpoint.key for checkpoint in saved] == [trial.key for trial in run.trials] == [t.key for t in STACK]
    for chosen, going in (([3, 0], [True, True]), ([4, 2, 1], [True, True, False]), ([0, 2], [False, True])):
        continued = [saved[s] if goes else None for s, goes in zip(chosen, going, strict=True)]
        for s, ours in zip(chosen, _together([STACK[s] for s in chosen], continued), strict=True):
            _assert_same(ours, _alone(STACK[s]))


def test_what_it_began_with_goes_with_its_member():
    trials = [_trial(1, 1, epochs=1), _trial(1, 1, seed=2, epochs=3)]
    run, last = Run(trials, *SPLITS, 5), trials[1]
    while len(run.trials) == 2:
        assert run.advance()
    (checkpoint,) = run.checkpoints()
    start = _start(last)
    own = torch.cat([value.flatten() for value in start.values()])
    torch.testing.assert_close(checkpoint.tensors["start"][0], own, rtol=1e-3, atol=1e-4)
    diagnosis = train(last, *SPLITS, 5, checkpoint=stored(checkpoint)).diagnoses[0]
    assert diagnosis.gradient_norms == pytest.approx(train(last, *SPLITS, 5).diagnoses[0].gradient_norms, rel=1e-3)


def test_one_that_waits_with_a_checkpoint_of_the_whole_keeps_it():
    far, fresh = STACK[0], STACK[1]
    run = Run([far], *SPLITS, 5)
    while run.progress()[0].epoch < 2 or run.progress()[0].phase < 2:
        assert run.advance()
    saved = stored(run.checkpoints()[0])
    together = Run([far, fresh], *SPLITS, 5, [saved, None])
    assert together.advance()
    again = together.checkpoints()[0]
    assert (again.key, again.progress) == (saved.key, saved.progress)
    assert all(torch.equal(again.tensors[name], value) for name, value in saved.tensors.items())
    for trial, ours in zip((far, fresh), _together([far, fresh], [saved, None]), strict=True):
        _assert_same(ours, train(trial, *SPLITS, 5))


def test_a_phase_that_diverges_ends_and_the_trial_goes_on_from_its_best():
    trial = _trial(3, 3, "M", learning_rate=3e3)
    phases = [train(each.trial, *SPLITS, 5) for each in preparations(trial)]
    assert "diverged" in {each.status for each in phases}, "choose a rate at which a phase diverges"
    result = train(trial, *SPLITS, 5)
    assert result.curve[0].update == sum(each.updates for each in phases)
    assert all(torch.isfinite(value).all() for value in result.weights.values())


@pytest.mark.parametrize("at", [3, 15, 40])
def test_a_checkpoint_without_its_start_or_of_another_trial_is_refused(at):
    trial = _trial(2, 3, "CM")
    checkpoint = _until(trial, at, None)
    assert isinstance(checkpoint, Checkpoint)
    with pytest.raises(CheckpointError, match="^checkpoint: of the trial "):
        train(_trial(2, 2, "CM"), *SPLITS, 5, checkpoint=checkpoint)
    start = checkpoint.tensors["start"]
    for wrong in ({}, {"start": start[:, :-1]}, {"start": start.double()}):
        tensors = {name: value for name, value in checkpoint.tensors.items() if name != "start"} | wrong
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
            train(trial, *SPLITS, 5, checkpoint=replace(checkpoint, tensors=tensors))
    for phase in (-1, 3):
        progress = replace(checkpoint.progress, phase=phase)
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
            train(trial, *SPLITS, 5, checkpoint=replace(checkpoint, progress=progress))


def test_the_frame_phase_helps_where_notes_hang_together():
    """Frames of two notes that always come together: a frame model knows it before the whole is trained."""
    rolls = [piece.repeat(2, axis=1) for piece in examples.music([60, 40, 50], width=2, seed=1)]
    pieces = Pieces.from_arrays(rolls)
    settings = {"output": "nade", "output_settings": NadeSettings(8), "learning_rate": 0.3, "cost": "mean"}
    plain = examples.trial(epochs=1, chunk=10, **settings)
    prepared = replace(plain, techniques=(Pretraining(30, 0),))
    starts = [train(trial, pieces, pieces, 4).curve[0].valid for trial in (plain, prepared)]
    assert starts[1] > starts[0] + 0.3
