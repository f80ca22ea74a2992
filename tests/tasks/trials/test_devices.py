"""Where a worker trains, and which trials go together there."""

from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import ConfigurationError
from models.network import Network
from models.trial import Trial
from tasks.trials.devices import member_bytes, members_at_once, stacks, training_device
from tests.models import examples

CPU = torch.device("cpu")


def test_without_a_gpu_it_is_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for value in ("", "cpu"):
        monkeypatch.setenv("COUNTERPOINT_DEVICE", value)
        assert training_device() == CPU
    for value, problem in (("cuda", "torch finds no GPU here"), ("tpu", "'tpu' is no device")):
        monkeypatch.setenv("COUNTERPOINT_DEVICE", value)
        with pytest.raises(ConfigurationError, match=problem):
            training_device()


def test_a_gpu_is_used_where_there_is_one_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("COUNTERPOINT_DEVICE", raising=False)
    assert training_device() == torch.device("cuda", 0)
    monkeypatch.setattr("tasks.trials.devices._number_of_worker", lambda: 6)
    assert training_device() == torch.device("cuda", 2)
    monkeypatch.setenv("COUNTERPOINT_DEVICE", "cpu")
    assert training_device() == CPU


def test_a_processor_trains_one_after_the_other_and_a_gpu_as_many_as_fit(monkeypatch):
    trial = examples.trial(hidden_size=100, chunk=100, batch=16)
    assert members_at_once(trial, 88, CPU) == 1
    one = member_bytes(trial, 88)
    for free, most in ((2 * one * 5, 5), (2 * one * 5 + one, 5), (one, 1), (0, 1), (2 * one * 10_000, 256)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, free))
        assert members_at_once(trial, 88, torch.device("cuda", 0)) == most


@pytest.mark.parametrize("core", ["rnn", "lstm", "gru"])
def test_bytes_of_a_member_cover_its_parameters_and_its_activations(core):
    trial = examples.trial(core=core, hidden_size=50, chunk=40, batch=16)
    network = Network.for_data(trial, examples.pieces("bernoulli", [5]), 5)
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[core]
    kept = 40 * 16 * (gates * 50 + 50 + 5)
    assert member_bytes(trial, 5) > 4 * (5 * network.parameters.theta_SP.numel() + 3 * kept)
    assert member_bytes(examples.trial(core=core, hidden_size=50, chunk=80, batch=16), 5) > 1.5 * member_bytes(trial, 5)


def _shapes(units: Sequence[int]) -> list[Trial]:
    return [examples.trial(hidden_size=size, seed=seed) for seed, size in enumerate(units)]


@given(units=st.lists(st.integers(1, 4), max_size=30), most=st.integers(1, 8))
def test_stacks_hold_every_trial_once_are_of_one_shape_and_full(units, most):
    trials = _shapes(units)
    made = stacks(trials, most)
    assert Counter(trial.key for stack in made for trial in stack) == Counter(trial.key for trial in trials)
    assert all(len({trial.hidden_size for trial in stack}) == 1 and len(stack) <= most for stack in made)
    partial = [stack[0].hidden_size for stack in made if len(stack) < most]
    assert len(partial) == len(set(partial)), "of a shape, one stack at most is not full"


def test_stacks_keep_the_order():
    made = stacks(_shapes([3, 5, 3, 5, 3]), 2)
    assert [[trial.seed for trial in stack] for stack in made] == [[0, 2], [4], [1, 3]]
