"""Training by several ranks is that of one process, up to rounding, and has the same bits on every rank."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.data.chunks import Pieces, make_chunk, plan_chunks
from models.data.stacked import stack
from models.techniques import Clipping
from models.training.progress import Progress
from models.training.run import Run, train, train_stack
from models.training.updates.gradient import ComposedGradient
from models.training.updates.gradient_descent import GradientDescent
from models.training.updates.ranks import RankLostError, Ranks
from models.training.updates.split_gradient import SplitGradient, lanes_of, why_not_split
from models.training.updates.stacked_techniques import StackedTechniques
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial
from tests.models import examples
from tests.models.training.ranks import together

LENGTHS = [6, 2, 4, 1, 9]
"""In chunks of 4 on 3 lanes: carried, fresh and idle lanes; the lanes of one rank run out before those of the other."""
KINDS: dict[str, dict[str, Any]] = {
    "every technique of the paper": {"letters": "CLRM"},
    "a mean, from zeros": {"letters": "CR", "cost": "mean", "initial_state": "zero"},
    "NADE": {"letters": "CM", "output": "nade"},
    "symbols, an average": {"output": "softmax", "averaging": 0.9},
    "classes": {"letters": "L", "output": "classes"},
    "LSTM by Adam": {"letters": "C", "core": "lstm", "optimizer": "Adam"},
    "GRU, transposed": {"letters": "M", "core": "gru", "transposition": 1},
}


def trial_of(kind: str) -> Trial:
    return examples.trial(**KINDS[kind])


def pieces_of(trial: Trial) -> Pieces:
    return examples.pieces(trial.output, LENGTHS)


def epochs(trial: Trial, ranks: Ranks | None, count: int = 2) -> tuple[Tensor, Tally]:
    """The float64 parameters after some epochs, and the sums over the last one."""
    pieces = pieces_of(trial)
    network = examples.network(trial, pieces)
    updater = GradientDescent(network, pieces, Streams(network.trials), ranks=ranks)
    for epoch in range(1, count + 1):
        place, tallies = Progress(0.05), Tallies([Tally()])
        place.epoch = epoch
        updater.begin_epoch([place])
        while any(updater.update(tallies)):
            pass
    ((tally, diverged),) = tallies.members()
    assert not diverged
    return network.parameters.theta_SP.clone(), tally


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_epochs_on_several_ranks_are_those_of_one_process(kind: str, count: int) -> None:
    trial = trial_of(kind)
    alone_SP, alone = epochs(trial, None)
    (first_SP, first), *others = together(count, lambda ranks: epochs(trial, ranks))
    torch.testing.assert_close(first_SP, alone_SP, rtol=1e-12, atol=1e-13)
    assert vars(first) == pytest.approx(vars(alone), rel=1e-11, nan_ok=True)
    for theta_SP, tally in others:
        assert torch.equal(theta_SP, first_SP)
        assert repr(tally) == repr(first)


def test_a_gradient_is_clipped_by_the_norm_of_the_whole_one() -> None:
    """Ranks that each clipped their own share would step further: the threshold is below the norm of every share."""
    trial = examples.trial(techniques=(Clipping(1e-3),))
    alone_SP, alone = epochs(trial, None, 1)
    split_SP, split = together(2, lambda ranks: epochs(trial, ranks, 1))[0]
    assert alone.clipped == split.clipped == alone.updates
    torch.testing.assert_close(split_SP, alone_SP, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("output", ["bernoulli", "softmax"])
def test_the_gradient_of_a_chunk_of_a_stack_is_split_too(output: str) -> None:
    """As on a GPU: without native code, every chunk as long as the longest, and masks in place of shapes."""
    trial = examples.trial("R", output=output)
    pieces = pieces_of(trial)

    def gradients(ranks: Ranks | None) -> Tensor:
        network = examples.network(trial, pieces)
        techniques, streams = StackedTechniques([trial.techniques], network.parameters.theta_SP), Streams([trial])
        own = ComposedGradient(network, techniques, streams.dropout, streams.chains, None)
        gradient = own if ranks is None else SplitGradient(own, network, ranks)
        found, carried = [], None
        for plan in plan_chunks(pieces, range(len(LENGTHS)), 3, 4):
            chunk = stack(pieces, [plan], 3, 4)
            nll_S, carried = gradient.forward(chunk, carried)
            norm_S = gradient.backward(chunk.lanes)
            found.append(torch.cat([nll_S, carried.flatten(), norm_S, network.parameters.gradient_SP.flatten()]))
        return torch.stack(found)

    torch.testing.assert_close(together(2, gradients)[1], gradients(None), rtol=1e-12, atol=1e-13)


def test_the_shares_of_the_ranks_are_all_lanes_once_each() -> None:
    pieces = pieces_of(examples.trial())
    chunk = make_chunk(pieces, next(plan_chunks(pieces, range(5), 5, 4)))
    for count in (1, 2, 3, 5):
        shares = [Ranks(None, number, count).lanes(5) for number in range(count)]  # type: ignore[arg-type]
        parts = [lanes_of(chunk, share) for share in shares]
        assert torch.equal(torch.cat([part.inputs for part in parts], dim=2), chunk.inputs)
        assert sum(part.scored_steps for part in parts) == chunk.scored_steps
        assert {share.stop - share.start for share in shares} <= {5 // count, -(-5 // count)}


TRAIN, VALID = Pieces.from_arrays(examples.music([9, 14, 3, 6, 2])), Pieces.from_arrays(examples.music([8, 5], seed=1))


def test_a_training_on_two_ranks_is_that_of_one_process_to_rounding() -> None:
    trial = examples.trial("CLRM", batch=4, epochs=4)
    alone = train(trial, TRAIN, VALID, 5)
    first, second = together(2, lambda ranks: train_stack([trial], TRAIN, VALID, 5, ranks=ranks)[trial.key])
    assert first.curve == second.curve
    assert all(torch.equal(first.weights[name], second.weights[name]) for name in alone.weights)
    assert (first.updates, len(first.curve)) == (alone.updates, len(alone.curve))
    valid = [[epoch.valid for epoch in training.curve] for training in (first, alone)]
    np.testing.assert_allclose(*valid, rtol=1e-5)
    for name, weight in alone.weights.items():
        torch.testing.assert_close(first.weights[name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(steps: int) -> None:
    trial = examples.trial("CLM", batch=4, epochs=4)

    def begun(ranks: Ranks) -> Any:
        run = Run([trial], TRAIN, VALID, 5, ranks=ranks)
        for _ in range(steps):
            run.advance()
        return run.checkpoints()

    def whole(ranks: Ranks) -> Any:
        return train_stack([trial], TRAIN, VALID, 5, ranks=ranks)[trial.key]

    checkpoints = together(2, begun)[0]

    def resumed(ranks: Ranks) -> Any:
        return train_stack([trial], TRAIN, VALID, 5, checkpoints=checkpoints, ranks=ranks)[trial.key]

    undisturbed, gone_on = together(2, whole)[0], together(2, resumed)[1]
    assert gone_on.curve == undisturbed.curve
    assert all(torch.equal(gone_on.weights[name], weight) for name, weight in undisturbed.weights.items())


def test_a_rank_that_does_not_answer_in_time_is_an_error_of_the_others() -> None:
    trial = examples.trial(batch=4, epochs=4)

    def work(ranks: Ranks) -> None:
        run = Run([trial], TRAIN, VALID, 5, ranks=ranks)
        if ranks.number == 0:
            while run.advance():
                pass

    with pytest.raises(RankLostError, match="another process of the trial is gone"):
        together(2, work, seconds=2.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"optimizer": "HF", "learning_rate": 5.0}, "Hessian-free optimization is not split"),
        ({"output": "rbm", "output_settings": examples.RBM_SETTINGS["data"]}, "draws its chains in the order of the"),
        ({"input_dropout": 0.1}, "dropout draws in the order of the lanes"),
        ({"output_dropout": 0.1}, "dropout draws in the order of the lanes"),
        ({"letters": "P", "output": "nade"}, "pre-training is not split"),
        ({"batch": 1}, "its batch has 1 lanes, fewer than 2 processes"),
    ],
)
def test_what_does_not_split_is_refused(changes: dict[str, Any], why: str) -> None:
    trial = examples.trial(**changes)
    assert why in (why_not_split(trial, 2) or "")
    ranks = Ranks(None, 0, 2)  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=f"{trial.variant.replace('+', '.')}: cannot be trained by 2 processes: .*{why}"
    ):
        Run([trial], TRAIN, VALID, 5, ranks=ranks)


def test_data_that_do_not_split_and_stacks_are_refused() -> None:
    ranks = Ranks(None, 0, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="its data have 2 pieces, fewer than 3 processes"):
        Run([examples.trial()], VALID, VALID, 5, ranks=ranks)
    last = Pieces.from_arrays(examples.music([3, 3, 3]), last_alone=True)
    with pytest.raises(ValueError, match="the last step alone is scored"):
        Run([examples.trial()], last, last, 5, ranks=ranks)
    with pytest.raises(ValueError, match="wants one trial, got a stack of 2"):
        Run([examples.trial(seed=1), examples.trial(seed=2)], TRAIN, VALID, 5, ranks=ranks)
