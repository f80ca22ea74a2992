"""Recorded updates, repeated on a processor by a recorder as strict as a CUDA graph: it keeps operations and memory.

Whatever Python decided or computed while it recorded is fixed, as it is in a graph. This is all it was tested on.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from models.core.scan.choice import use_kernel
from models.data.chunks import Pieces
from models.network import Network
from models.outputs import RBMSettings
from models.outputs.softmax import cross_entropy
from models.techniques import Clipping, Leaky, Nesterov, Rectifier
from models.training.run import Run, Training
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.cuda_graph import (
    VARIABLE,
    WARM_UP,
    CapturedUpdater,
    chunk_updater_for,
    recorded_by,
    recorder_for,
)
from models.trial import Trial
from tests.models import examples
from tests.models.stopping import bits

LENGTHS = [9, 4, 6, 1, 7, 3, 12, 5, 8]
SPLITS = {
    output: (Pieces.from_arrays(make(LENGTHS, seed=1)), Pieces.from_arrays(make([8, 5], seed=2)))
    for output, make in (
        ("bernoulli", examples.music),
        ("softmax", examples.text),
        ("rbm", examples.music),
        ("nade", examples.music),
    )
}


class Tape(TorchDispatchMode):
    """Operations with the tensors they read and wrote, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, list[Tensor]]] = []
        self.repeated = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        self._done.append((function, args, kwargs, _tensors(result)))
        return result

    def repeat(self) -> None:
        """Do all again, into the same memory."""
        self.repeated += 1
        with torch.no_grad():
            for function, args, kwargs, written in self._done:
                mine = {tensor.untyped_storage().data_ptr() for tensor in _tensors((args, kwargs))}
                for tensor, again in zip(written, _tensors(function(*args, **kwargs)), strict=True):
                    if tensor.untyped_storage().data_ptr() not in mine:
                        tensor.copy_(again)


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


class Recorder:
    """Tapes that were recorded; those of a processor's other kernels would not see inside of compiled code."""

    def __init__(self) -> None:
        self.tapes: list[Tape] = []

    def __call__(self, work: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], object]:
        self.tapes.append(Tape())
        with self.tapes[-1]:
            work()
        return self.tapes[-1].repeat


def _members(output: str = "bernoulli", **changes: Any) -> list[Trial]:
    techniques = [(), (Clipping(0.3), Nesterov(0.5)), (Leaky(0.5, "retention"), Rectifier(0.01), Clipping(0.2))]
    return [
        examples.trial(
            output=output,
            seed=seed,
            epochs=2 + seed,
            **({"techniques": some, "learning_rate": 0.02 * (1 + seed), "activation": "relu"} | changes),
        )
        for seed, some in enumerate(techniques)
    ]


def _run(trials: Sequence[Trial]) -> list[Training]:
    run = Run(trials, *SPLITS[trials[0].output], 5)
    while run.advance():
        pass
    return [run.ended[trial.key] for trial in trials]


@pytest.mark.parametrize(
    "changes",
    [
        {"output_dropout": 0.2, "input_dropout": 0.1, "cost": "mean"},
        {"optimizer": "Adam", "techniques": (), "initial_state": "zero"},
        {"transposition": 1, "averaging": 0.6},
        pytest.param({"output": "softmax"}, marks=pytest.mark.integration),
        {"output": "rbm", "output_settings": RBMSettings(4, 2)},
    ],
    ids=str,
)
def test_what_is_repeated_has_the_bits_of_what_is_made_operation_by_operation(changes, monkeypatch):
    # Of the cross-entropy, and asked for by a value: on a GPU it is not called.
    monkeypatch.setattr(cross_entropy, "_one_number", lambda values_SN: None)
    trials, recorder = _members(**changes), Recorder()
    with use_kernel("reference"):
        plain = _run(trials)
        with recorded_by(recorder):
            again = _run(trials)
    assert [bits(training) for training in again] == [bits(training) for training in plain]
    # the members end in different epochs, and after each end what is left is recorded anew
    assert len(recorder.tapes) == 3
    assert all(tape.repeated > 2 for tape in recorder.tapes)


@pytest.mark.parametrize("core", ["lstm", "gru"])
def test_cores_with_gates(core):
    trials = _members(core=core, activation="tanh", techniques=())
    recorder = Recorder()
    with use_kernel("reference"):
        plain = _run(trials)
        with recorded_by(recorder):
            assert [bits(training) for training in _run(trials)] == [bits(training) for training in plain]
    assert recorder.tapes


def test_a_member_that_diverges_takes_nobody_along():
    trials = _members(learning_rate=1e-2)
    trials[1] = replace(trials[1], learning_rate=1e30, techniques=())
    with use_kernel("reference"):
        plain = _run(trials)
        with recorded_by(Recorder()):
            again = _run(trials)
    assert plain[1].status == "diverged"
    assert [bits(training) for training in again] == [bits(training) for training in plain]


def test_a_recorded_run_goes_on_from_its_checkpoints_bit_for_bit():
    trials = _members(output_dropout=0.2)
    with use_kernel("reference"), recorded_by(Recorder()):
        whole = _run(trials)
        run = Run(trials, *SPLITS["bernoulli"], 5)
        for _ in range(WARM_UP + 4):
            assert run.advance()
        second = Run(trials, *SPLITS["bernoulli"], 5, run.checkpoints())
        while second.advance():
            pass
    assert [bits(second.ended[trial.key]) for trial in trials] == [bits(training) for training in whole]


def _network(output: str) -> Network:
    return Network(_members(output, activation="tanh")[:2], torch.full((5,), 0.3))


def test_output_models_whose_shapes_depend_on_data_are_not_recorded():
    with recorded_by(Recorder()):
        assert type(chunk_updater_for(_network("nade"))) is ChunkUpdater
        assert type(chunk_updater_for(_network("rbm"))) is CapturedUpdater


def test_nothing_is_recorded_where_nobody_asks_and_none_on_a_processor(monkeypatch):
    assert recorder_for(_network("bernoulli")) is None
    monkeypatch.setenv(VARIABLE, "1")
    assert recorder_for(_network("bernoulli")) is None
    monkeypatch.setenv(VARIABLE, "yes")
    with pytest.raises(ValueError, match="COUNTERPOINT_CUDA_GRAPH: 'yes' is neither 1 nor 0"):
        recorder_for(_network("bernoulli"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="wants a GPU")
def test_a_cuda_graph_has_the_numbers_of_updates_made_operation_by_operation(monkeypatch):
    trials, pieces = _members(output_dropout=0.2), [each.to("cuda") for each in SPLITS["bernoulli"]]

    def ended() -> list[Training]:
        run = Run(trials, *pieces, 5, device="cuda")
        while run.advance():
            pass
        return [run.ended[trial.key] for trial in trials]

    plain = ended()
    monkeypatch.setenv(VARIABLE, "1")
    for ours, theirs in zip(ended(), plain, strict=True):
        assert (ours.status, ours.updates) == (theirs.status, theirs.updates)
        for name, weight in theirs.weights.items():
            torch.testing.assert_close(ours.weights[name], weight, rtol=1e-3, atol=1e-4)
