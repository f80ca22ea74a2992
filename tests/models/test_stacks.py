"""Stacked trials: each member of a stack trains as it does alone, whatever the others do."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.data.chunks import Pieces, plan_chunks
from models.data.frequencies import frequencies
from models.data.stacked import stack
from models.network import Network
from models.techniques import Clipping, Leaky, Nesterov, Rectifier
from models.training.progress import Checkpoint
from models.training.run import Run, Training, train
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial
from models.variants import all_subsets
from tests.models import examples
from tests.models.stopping import stored

pytestmark = pytest.mark.usefixtures("coarse_monitor")

LENGTHS = [9, 4, 6, 1, 7, 3, 12]
SPLITS = {
    output: (Pieces.from_arrays(make(LENGTHS, seed=1)), Pieces.from_arrays(make([8, 5], seed=2)))
    for output, make in (
        *(("bernoulli", examples.music), ("softmax", examples.text), ("rbm", examples.music)),
        ("transposed", examples.sparse),
    )
}


def _splits(trial: Trial) -> tuple[Pieces, Pieces]:
    return SPLITS["transposed" if trial.transposition else trial.output]


def _together(trials: Sequence[Trial], checkpoints: Sequence[Checkpoint | None] = ()) -> list[Training]:
    run = Run(trials, *_splits(trials[0]), 5, checkpoints)
    while run.advance():
        pass
    assert set(run.ended) == {trial.key for trial in trials}
    return [run.ended[trial.key] for trial in trials]


def _alone(trial: Trial) -> Training:
    return train(trial, *_splits(trial), 5)


def _assert_same(ours: Training, theirs: Training, rtol: float = 2e-4) -> None:
    """Equal but for the rounding of float32, which a batched product does in another order."""
    assert (ours.status, ours.diverged_at, ours.updates) == (theirs.status, theirs.diverged_at, theirs.updates)
    assert len(ours.curve) == len(theirs.curve)
    for mine, its in zip(ours.curve, theirs.curve, strict=True):
        for name, value in vars(mine).items():
            assert value == pytest.approx(getattr(its, name), rel=rtol, abs=1e-6, nan_ok=True), (name, mine.epoch)
    assert ours.best.epoch == theirs.best.epoch
    assert ours.weights.keys() == theirs.weights.keys()
    for name, weight in theirs.weights.items():
        torch.testing.assert_close(ours.weights[name], weight, rtol=1e-3, atol=1e-4)


def _members(output: str, letters: Sequence[str], **changes: Any) -> list[Trial]:
    """Trials that differ in every number that is data of a member."""
    made = []
    for seed, some in enumerate(letters):
        techniques = {
            "C": Clipping(0.3 + 0.2 * seed),
            "L": Leaky(0.5 if seed % 2 else 0.3, "update-rate" if seed % 3 else "retention"),
            "R": Rectifier(0.002 * (1 + seed)),
            "M": Nesterov(0.3 + 0.1 * (seed % 6)),
        }
        own = {"seed": seed, "learning_rate": 0.01 * (1 + seed % 4), "epochs": 2, "decay": 0.4 + 0.1 * (seed % 4)}
        made.append(examples.trial(techniques=tuple(techniques[x] for x in some), output=output, **(own | changes)))
    return made


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_all_subsets_of_the_techniques_train_together_as_alone(output, rectified):
    letters = [subset for subset in all_subsets("CLRM") if ("R" in subset) == rectified]
    trials = _members(output, letters)
    for ours, trial in zip(_together(trials), trials, strict=True):
        _assert_same(ours, _alone(trial))


@pytest.mark.parametrize(
    "changes",
    [
        *({"core": "lstm"}, {"core": "gru"}, {"cost": "mean"}, {"initial_state": "zero"}),
        *({"transposition": 2}, {"averaging": 0.8}, {"transposition": 1, "averaging": 0.5, "core": "lstm"}),
    ],
    ids=str,
)
def test_other_cores_costs_and_states_too(changes):
    trials = _members("bernoulli", ["", "C", "M", "CM", ""], **changes)
    for ours, trial in zip(_together(trials), trials, strict=True):
        _assert_same(ours, _alone(trial))


def test_dropout_has_the_random_numbers_of_its_member():
    trials = _members("bernoulli", ["", "", "CM"], input_dropout=0.3, output_dropout=0.3, epochs=4)
    first = _together(trials)
    # Alone means the same padded shapes here, for a draw covers padding too: another stack that the member is in.
    for chosen in ([0, 2], [2, 1], [1, 0, 2]):
        others = _together([trials[s] for s in chosen])
        for s, ours in zip(chosen, others, strict=True):
            _assert_same(ours, first[s])
    assert first[0].curve[1].train != first[1].curve[1].train


@pytest.mark.parametrize("chain", ["data", "persistent"])
def test_chains_have_the_random_numbers_and_the_particles_of_their_member(chain):
    trials = _members("rbm", ["", "M", "CM"], output_settings=examples.RBM_SETTINGS[chain])
    first = _together(trials)
    for chosen in ([2, 1], [1, 0, 2]):
        for s, ours in zip(chosen, _together([trials[s] for s in chosen]), strict=True):
            _assert_same(ours, first[s])
    assert first[0].curve[1].gradient_norm != first[1].curve[1].gradient_norm


def test_chains_and_particles_of_a_member_without_a_chunk_wait_and_go_with_their_member():
    trials = _members("rbm", ["", "M", ""], output_settings=examples.RBM_SETTINGS["persistent"])
    train = SPLITS["rbm"][0]
    updater = ChunkUpdater(Network(trials, frequencies(train, 5).float()))
    updater.particles_SMD.bernoulli_(0.5, generator=torch.Generator().manual_seed(0))
    before, streams = updater.particles_SMD.clone(), [its.get_state() for its in updater.streams.chains]
    some = next(plan_chunks(train, range(7), 3, 4))
    updater.update(stack(train, [some, None, some], 3, 4), None, torch.full((3, 1), 0.01), Tallies([Tally()] * 3))
    moved = [not torch.equal(now, then) for now, then in zip(updater.particles_SMD, before, strict=True)]
    drawn = [not torch.equal(its.get_state(), then) for its, then in zip(updater.streams.chains, streams, strict=True)]
    assert moved == drawn == [True, False, True]
    last, its = updater.particles_SMD[2].clone(), updater.streams.chains[2]
    for kept in (updater.network, updater.streams, updater):
        kept.keep([2])
    assert torch.equal(updater.particles_SMD, last[None])
    assert updater.streams.chains == [its]


@pytest.mark.parametrize("stop", [3, 6])
def test_chains_and_particles_go_on_from_checkpoints_in_other_company(stop):
    trials = _members("rbm", ["", "M", "CM"], output_settings=examples.RBM_SETTINGS["persistent"])
    whole, run = _together(trials), Run(trials, *SPLITS["rbm"], 5)
    for _ in range(stop):
        assert run.advance()
    saved = [stored(checkpoint) for checkpoint in run.checkpoints()]
    chosen = [2, 0]
    resumed = _together([trials[s] for s in chosen], [saved[s] for s in chosen])
    for s, ours in zip(chosen, resumed, strict=True):
        _assert_same(ours, whole[s])


def test_members_end_each_in_its_own_time():
    rates = [1e-30, 0.03, 0.02, 1e-30]
    trials = [
        examples.trial(seed=s, learning_rate=rate, epochs=epochs, patience=patience)
        for s, (rate, epochs, patience) in enumerate(zip(rates, (9, 1, 6, 9), (2, 3, 3, 4), strict=True))
    ]
    run, seen = Run(trials, *SPLITS["bernoulli"], 5), []
    while run.advance():
        seen.append(tuple(trial.seed for trial in run.trials))
        assert all(key not in run.ended for key in (trial.key for trial in run.trials))
    assert list(dict.fromkeys(seen)) == [(0, 1, 2, 3), (0, 2, 3), (2, 3), (2,)]
    for trial in trials:
        _assert_same(run.ended[trial.key], _alone(trial))
    assert [run.ended[trial.key].curve[-1].epoch for trial in trials] == [2, 1, 6, 4]


def test_a_member_that_diverges_takes_nobody_along():
    trials = [examples.trial(seed=s, learning_rate=rate) for s, rate in enumerate((0.02, 1e8, 0.03, 2e4))]
    results = _together(trials)
    assert [result.status for result in results] == ["completed", "diverged", "untrained", "diverged"]
    for ours, trial in zip(results, trials, strict=True):
        _assert_same(ours, _alone(trial))
    assert all(weight.isfinite().all() for result in results for weight in result.weights.values())


def test_all_may_diverge():
    trials = [examples.trial("M", seed=s, learning_rate=1e8) for s in range(3)]
    assert [(result.status, result.diverged_at) for result in _together(trials)] == [("diverged", 2)] * 3


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_a_stack_of_two_that_are_equal_but_for_the_seed_has_two_results(output):
    first, second = _together(_members(output, ["CM", "CM"]))
    assert not torch.equal(first.weights["recurrent_weight"], second.weights["recurrent_weight"])


def test_a_stack_goes_on_from_its_checkpoints_bit_for_bit_and_in_other_company():
    trials = _members("bernoulli", ["", "CLM", "M", "CL"], output_dropout=0.2, transposition=2, averaging=0.7)
    whole = _together(trials)
    run = Run(trials, *_splits(trials[0]), 5)
    for stop in range(1, 10):
        assert run.advance()
        if stop not in (1, 4, 6, 9):
            continue
        saved = [stored(checkpoint) for checkpoint in run.checkpoints()]
        assert [checkpoint.key for checkpoint in saved] == [trial.key for trial in trials]
        # One starts anew beside one that goes on, in the other order.
        for chosen, going in (([2, 0], [True, True]), ([3, 1], [False, True])):
            continued = [saved[s] if goes else None for s, goes in zip(chosen, going, strict=True)]
            for s, ours in zip(chosen, _together([trials[s] for s in chosen], continued), strict=True):
                _assert_same(ours, whole[s])
        for ours, theirs in zip(_together(trials, saved), whole, strict=True):
            assert (repr(replace(ours, weights={})), save(ours.weights)) == (
                repr(replace(theirs, weights={})),
                save(theirs.weights),
            )


class _Waits(TorchDispatchMode):
    """Notes every operation that has to ask the device for a value, or whose shape depends on one."""

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "index_put", "unique")

    ON_PROCESSORS_ALONE = {"check_symbols", "_one_number"}
    """Of the cross-entropy: on a GPU it does not call them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.overloadpacket.__name__
        if name.rstrip("_") in self.NAMES or any(
            isinstance(x, Tensor) and x.dtype == torch.bool for x in _indices(args)
        ):
            callers = {frame.name for frame in traceback.extract_stack()}
            if not callers & self.ON_PROCESSORS_ALONE:
                self.found.append(name)
        return function(*args, **(kwargs or {}))


def _indices(args: Any) -> list[Any]:
    """Tensors inside of lists: the indices of an indexing, of which a mask would have to be counted."""
    return [x for each in args if isinstance(each, list | tuple) for x in each]


@pytest.mark.parametrize("core", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_no_step_of_a_stack_waits_for_the_device_and_all_have_one_shape(output, core):
    letters = ["", "CM", "C"] if core != "rnn" else ["", "CLM", "C"]
    run = Run(_members(output, letters, core=core, output_dropout=0.1), *SPLITS[output], 5)
    run.advance()
    with _Waits() as waits:
        for _ in range(3):
            run.advance()
    assert waits.found == []


def test_what_waits_is_seen():
    values = torch.tensor([1.0, -1.0])
    with _Waits() as waits:
        values.sum().item()
        values[values > 0] = 0
        values.nonzero()
        bool(values.sum() > 0)
    assert waits.found == ["_local_scalar_dense", "index_put_", "nonzero", "_local_scalar_dense"]


def test_padding_that_overflows_harms_nothing():
    # Notes that sound keep the states at 0; the silence of padding lets them double a step, for 97 steps, until
    # no output of theirs can be computed.
    trials = [examples.trial("R", batch=2, chunk=100, seed=seed) for seed in (1, 2)]
    pieces = Pieces.from_arrays([torch.ones(100, 5).numpy(), torch.ones(3, 5).numpy()])
    updater = ChunkUpdater(Network(trials, frequencies(pieces, 5).float()))
    updater.network.parameters.theta_SP.zero_()
    for s in range(2):
        weights = updater.network.parameters.member(s)
        weights["input_weight"].fill_(-5.0)
        weights["recurrent_weight"].copy_(2 * torch.eye(7))
        weights["bias"].fill_(1.0)
        weights["output_weight"].fill_(1e10)
    tallies = Tallies([Tally(), Tally()])
    chunk = stack(pieces, list(plan_chunks(pieces, [0, 1], 2, 100)) * 2, 2, 100)
    carried = updater.update(chunk, None, torch.zeros(2, 1), tallies)
    assert [(tally.updates, tally.steps, bad) for tally, bad in tallies.members()] == [(1, 103, False)] * 2
    assert updater.network.parameters.gradient_SP.isfinite().all()
    assert carried.isfinite().all()


def test_trials_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="^network: trials of a stack want one shape"):
        Network([examples.trial(), examples.trial(hidden_size=8)], torch.full((5,), 0.5))
    with pytest.raises(ValueError, match="^run: wants trials that differ"):
        Run([examples.trial(), examples.trial()], *SPLITS["bernoulli"], 5)


def test_the_shape_leaves_out_what_is_data_of_a_member_and_nothing_else():
    base = examples.trial("C")
    same = {"learning_rate": 0.2, "seed": 9, "epochs": 7, "decay": 0.9, "patience": 1, "techniques": ()}
    other = {"corpus": "1" * 64, "hidden_size": 8, "chunk": 5, "batch": 2, "cost": "mean", "initial_state": "zero"}
    other |= {"input_dropout": 0.1, "output_dropout": 0.1, "core": "gru", "activation": "sigmoid"}
    other |= {"transposition": 1, "averaging": 0.5}
    other |= {"techniques": examples.techniques("R")}
    assert all(replace(base, **{name: value}).shape == base.shape for name, value in same.items())
    assert all(replace(base, **{name: value}).shape != base.shape for name, value in other.items())
    assert examples.trial("R", activation="sigmoid").shape == examples.trial("CR").shape
