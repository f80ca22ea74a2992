"""A training that is stopped anywhere and goes on from a checkpoint ends with the same bits as one that is not."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from models.data.chunks import Pieces
from models.training.progress import Checkpoint, CheckpointError, Progress
from models.training.run import Run, Training, train
from models.trial import Trial
from models.variants import all_subsets
from tests.models import examples
from tests.models.stopping import bits, interrupted, stored

pytestmark = pytest.mark.usefixtures("coarse_monitor")

LENGTHS = [9, 4, 6, 1, 7, 3]
SPLITS = {
    output: (Pieces.from_arrays(make(LENGTHS, seed=1)), Pieces.from_arrays(make([8, 5], seed=2)))
    for output, make in (("bernoulli", examples.sparse), ("softmax", examples.text), ("rbm", examples.music))
}


class _Stopped(Exception):
    """Stands for whatever ends a process."""


def _until(trial: Trial, step: int, checkpoint: Checkpoint | None) -> Checkpoint | Training:
    """Train for so many steps, and give the checkpoint there, or what came of it where there are not so many."""
    left, taken = step, []

    def between(run: Run) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            taken.append(stored(run.checkpoints()[0]))
            raise _Stopped

    try:
        return train(trial, *SPLITS[trial.output], 5, between, checkpoint)
    except _Stopped:
        return taken[0]


@settings(max_examples=6, deadline=None)
@given(
    steps=st.lists(st.integers(1, 15), min_size=1, max_size=4),
    letters=st.sampled_from(all_subsets("CLRM")),
    output=st.sampled_from(["bernoulli", "softmax"]),
    initial_state=st.sampled_from(["learned", "zero"]),
    dropout=st.sampled_from([0.0, 0.3]),
    lanes=st.integers(1, 4),
    learning_rate=st.sampled_from([0.05, 0.3]),
    core=st.sampled_from(["rnn", "rnn", "lstm", "gru"]),
    transposition=st.sampled_from([0, 2]),
    averaging=st.sampled_from([0.0, 0.7]),
)
def test_bits_are_the_same_wherever_it_is_stopped(
    steps, letters, output, initial_state, dropout, lanes, learning_rate, core, transposition, averaging
):
    trial = examples.trial(
        letters if core == "rnn" else "".join(letter for letter in letters if letter in "CM"),
        core=core,
        output=output,
        initial_state=initial_state,
        input_dropout=dropout if output == "bernoulli" else 0.0,
        output_dropout=dropout,
        transposition=transposition if output == "bernoulli" else 0,
        averaging=averaging,
        batch=lanes,
        learning_rate=learning_rate,
        epochs=4,
        patience=2,
    )
    result, _ = interrupted(trial, SPLITS[trial.output], steps, _until)
    assert bits(result) == bits(train(trial, *SPLITS[output], 5))


@pytest.mark.parametrize(
    ("output", "own"),
    [("bernoulli", {}), ("softmax", {}), ("bernoulli", {"transposition": 2, "averaging": 0.7})],
    ids=str,
)
def test_a_stop_after_every_single_step(output, own):
    own = {"output_dropout": 0.2, "learning_rate": 0.3, "epochs": 6, "patience": 2, **own}
    trial = examples.trial("CLRM", output=output, **own)
    result, stops = interrupted(trial, SPLITS[trial.output], [1] * 1000, _until)
    assert bits(result) == bits(train(trial, *SPLITS[output], 5))
    # One before the first update, one after each update, one after each epoch but the last.
    assert stops == 1 + result.updates + len(result.curve) - 2
    assert result.best.epoch < result.curve[-1].epoch, "choose a rate at which the last epoch is not the best"


def _rbm(chain: str) -> Trial:
    settings = examples.RBM_SETTINGS[chain]
    return examples.trial("M", output="rbm", output_settings=settings, output_dropout=0.2, learning_rate=0.01)


@pytest.mark.parametrize("chain", ["data", "persistent"])
@pytest.mark.parametrize("every", [1, 5])
def test_chains_and_particles_go_on_where_they_were(chain, every):
    trial = _rbm(chain)
    result, stops = interrupted(trial, SPLITS[trial.output], [every] * 1000, _until)
    assert stops >= (result.updates + len(result.curve) - 1) // every - 1
    assert bits(result) == bits(train(trial, *SPLITS["rbm"], 5))


def test_only_what_a_model_trains_with_is_in_its_checkpoint():
    exact = {"theta", "velocity", "best", "dropout", "carried"}
    assert _until(examples.trial(), 4, None).tensors.keys() == exact
    averaged = examples.trial(averaging=0.9, transposition=2)
    assert _until(averaged, 4, None).tensors.keys() == exact | {"average", "average_weight"}
    assert _until(_rbm("data"), 4, None).tensors.keys() == exact | {"chains"}
    checkpoint = _until(_rbm("persistent"), 4, None)
    assert checkpoint.tensors.keys() == exact | {"chains", "particles"}
    assert checkpoint.tensors["particles"].any(), "some chains have ended"
    for name in ("chains", "particles"):
        tensors = {other: value for other, value in checkpoint.tensors.items() if other != name}
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
            train(_rbm("persistent"), *SPLITS["rbm"], 5, checkpoint=replace(checkpoint, tensors=tensors))


def test_a_divergence_comes_at_the_same_update():
    trial = examples.trial("M", learning_rate=2e4)
    whole = train(trial, *SPLITS["bernoulli"], 5)
    assert (whole.status, whole.updates > 1) == ("diverged", True), "choose a rate that diverges, and not at once"
    result, stops = interrupted(trial, SPLITS[trial.output], [1] * whole.updates, _until)
    assert stops == whole.updates
    assert bits(result) == bits(whole)


def test_a_checkpoint_stays_as_it_was_when_the_training_goes_on():
    taken: list[tuple[Checkpoint, str, bytes]] = []

    def between(run: Run) -> None:
        checkpoint = run.checkpoints()[0]
        taken.append((checkpoint, json.dumps(checkpoint.to_json()), save(checkpoint.tensors)))

    train(examples.trial("M", output_dropout=0.2), *SPLITS["bernoulli"], 5, between)
    assert len(taken) > 10
    for checkpoint, text, data in taken:
        assert (json.dumps(checkpoint.to_json()), save(checkpoint.tensors)) == (text, data)


def test_going_on_from_a_checkpoint_leaves_it_as_it_was():
    trial = examples.trial("M")
    checkpoint = _until(trial, 6, None)
    before = json.dumps(checkpoint.to_json()), save(checkpoint.tensors)
    first = train(trial, *SPLITS["bernoulli"], 5, checkpoint=checkpoint)
    assert (json.dumps(checkpoint.to_json()), save(checkpoint.tensors)) == before
    assert bits(first) == bits(train(trial, *SPLITS["bernoulli"], 5, checkpoint=checkpoint))


def test_a_checkpoint_of_another_trial_is_refused():
    checkpoint = _until(examples.trial(), 4, None)
    with pytest.raises(CheckpointError, match="^checkpoint: of the trial "):
        train(examples.trial(seed=2), *SPLITS["bernoulli"], 5, checkpoint=checkpoint)


@pytest.mark.parametrize("name", ["theta", "velocity", "best", "dropout", "carried"])
def test_a_checkpoint_that_lacks_a_tensor_is_refused(name):
    trial = examples.trial()
    checkpoint = _until(trial, 4, None)
    tensors = {other: value for other, value in checkpoint.tensors.items() if other != name}
    with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
        train(trial, *SPLITS["bernoulli"], 5, checkpoint=replace(checkpoint, tensors=tensors))


def test_a_checkpoint_with_a_tensor_of_another_shape_is_refused():
    trial = examples.trial()
    checkpoint = _until(trial, 4, None)
    for name in ("theta", "velocity", "best", "dropout", "carried"):
        tensors = checkpoint.tensors | {name: checkpoint.tensors[name][..., :-1]}
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors"):
            train(trial, *SPLITS["bernoulli"], 5, checkpoint=replace(checkpoint, tensors=tensors))


def test_numbers_that_are_not_finite_go_through_json():
    trial = examples.trial(learning_rate=1e30)
    checkpoint = _until(trial, 2, None)
    assert checkpoint.progress.tally.ratios == float("inf"), "choose a rate at which the size of an update overflows"
    result = train(trial, *SPLITS["bernoulli"], 5, checkpoint=checkpoint)
    assert bits(result) == bits(train(trial, *SPLITS["bernoulli"], 5))


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("format"),
        lambda values: values.update(format=0),
        lambda values: values.pop("key"),
        lambda values: values.pop("progress"),
        lambda values: values["progress"].update(unknown=1),
        lambda values: values["progress"].update(curve=[[1, 2]]),
        lambda values: values["progress"].update(tally=3),
        lambda values: values["progress"]["tally"].update(ratios="many"),
    ],
)
def test_json_of_something_else_is_refused(change):
    values = Checkpoint("key", Progress(0.1), {}).to_json()
    change(values)
    with pytest.raises(CheckpointError, match="^checkpoint: "):
        Checkpoint.from_json(values, {})
    with pytest.raises(CheckpointError, match="^checkpoint: "):
        Checkpoint.from_json([], {})


def test_the_generators_of_torch_play_no_part():
    trial = examples.trial("L", output_dropout=0.3)
    torch.manual_seed(1)
    first, _ = interrupted(trial, SPLITS[trial.output], [5], _until)
    torch.manual_seed(2)
    assert bits(first) == bits(interrupted(trial, SPLITS[trial.output], [5], _until)[0])
