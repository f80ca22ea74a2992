"""What both kinds of updater promise the loop that they are asked by: one suite over them."""

from typing import Any

import pytest
import torch

from models.data.chunks import Pieces, chunks, shuffled
from models.evaluation.baselines import frequencies
from models.network import Network
from models.randomness import generator_for
from models.training.progress import Progress
from models.training.run import Run
from models.training.updates.gradient_descent import GradientDescent
from models.training.updates.hessian_free import HessianFreeUpdater
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies, Tally
from models.training.updates.updater import Updater
from models.trial import Trial
from tests.models import examples

PIECES = Pieces.from_arrays(examples.music([9, 4, 6, 1]))
KINDS: dict[str, dict[str, Any]] = {
    "SGD": {"letters": "M"},
    "Adam": {"optimizer": "Adam", "averaging": 0.5},
    "HF": {"optimizer": "HF", "learning_rate": 5.0},
}
# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
every_kind = pytest.mark.parametrize("kind", KINDS)


def _trials(kind: str, count: int) -> list[Trial]:
    return [examples.trial(seed=seed, **KINDS[kind]) for seed in range(count)]


def _made(kind: str, count: int = 1) -> tuple[Updater, Network, Streams]:
    network = Network(_trials(kind, count), frequencies(PIECES, 5).float())
    streams = Streams(network.trials)
    if kind == "HF":
        return HessianFreeUpdater(network, PIECES), network, streams
    return GradientDescent(network, PIECES, streams), network, streams


def _places(updater: Updater, count: int = 1) -> list[Progress]:
    places = [Progress(0.05) for _ in range(count)]
    updater.begin_epoch(places)
    return places


def _updates(updater: Updater, count: int = 1) -> list[tuple[bool, ...]]:
    """All updates of an epoch, and the answer that there is none left."""
    tallies, found = Tallies([Tally()] * count), []
    while not found or any(found[-1]):
        found.append(updater.update(tallies))
    assert [tally.updates for tally, _ in tallies.members()] == [sum(one) for one in zip(*found, strict=True)]
    return found


def test_a_trial_names_its_updater():
    kinds = {kind: type(Run(_trials(kind, 1), PIECES, PIECES, 5)._updater) for kind in KINDS}
    assert kinds == {"SGD": GradientDescent, "Adam": GradientDescent, "HF": HessianFreeUpdater}


@every_kind
def test_an_epoch_has_an_end_and_nothing_is_done_behind_it(kind):
    updater, network, _ = _made(kind)
    _places(updater)
    start_SP = network.parameters.theta_SP.clone()
    found = _updates(updater)
    order = shuffled(PIECES, 3, generator_for(network.trial.stream, "order", 1))
    assert len(found) - 1 == (1 if kind == "HF" else len(list(chunks(PIECES, order, 3, 4))))
    ended_SP = network.parameters.theta_SP.clone()
    assert not torch.equal(ended_SP, start_SP)
    assert updater.update(Tallies([Tally()])) == (False,)
    assert torch.equal(network.parameters.theta_SP, ended_SP)


@every_kind
def test_an_epoch_is_taken_up_behind_the_updates_that_are_done(kind):
    updater, network, _ = _made(kind)
    places = _places(updater)
    many = len(_updates(updater)) - 1
    for done in range(many + 1):
        places[0].chunk = done
        updater.begin_epoch(places)
        assert len(_updates(updater)) - 1 == many - done


@every_kind
def test_members_that_are_kept_take_their_tensors_along(kind):
    updater, network, streams = _made(kind, 3)
    _places(updater, 3)
    assert updater.update(Tallies([Tally()] * 3)) == (True, True, True)
    before = {name: value.clone() for name, value in updater.tensors(within_epoch=True).items()}
    assert ("carried" in before) == (kind != "HF")
    assert before.keys() - updater.tensors(within_epoch=False).keys() == before.keys() & {"carried"}
    assert updater.state.keys() <= before.keys()
    for kept in (network, streams, updater):
        kept.keep([2, 0])
    after = updater.tensors(within_epoch=True)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], value[[2, 0]]) for name, value in before.items())
    found = _updates(updater, 2)
    assert all(len(each) == 2 for each in found)


@every_kind
def test_what_is_put_into_its_tensors_is_what_it_goes_on_with(kind):
    """They are the memory that it computes with, not copies: so a checkpoint is put back."""
    updater, network, _ = _made(kind)
    _places(updater)
    for value in updater.tensors(within_epoch=True).values():
        value.fill_(0.25)
    assert all((value == 0.25).all() for value in updater.tensors(within_epoch=True).values())
    assert all((value == 0.25).all() for value in updater.state.values())


def test_the_schedule_sets_the_rate_of_gradients_and_the_damping_that_of_hessian_free():
    for kind in ("SGD", "Adam"):
        assert _made(kind)[0].rate(0, 0.125) == 0.125
    updater, _, _ = _made("HF")
    assert updater.rate(0, 0.125) == 5.0
    updater.state["damping"].fill_(4.0)
    assert updater.rate(0, 0.125) == 0.25


def test_only_hessian_free_stalls():
    updater, _, _ = _made("HF")
    assert not updater.stalled(0)
    updater.state["null_steps"].fill_(10)
    assert updater.stalled(0)
    assert not _made("SGD")[0].stalled(0)
