"""A step by compiled code against the techniques' own hooks, in float64; which trials it is for."""

from dataclasses import dataclass

import pytest
import torch
from torch.linalg import vector_norm

from models.core import use_kernel
from models.native import library
from models.optimizers import SGD
from models.techniques import Clipping, Nesterov, Technique
from models.training.updates.native_step import NativeStep, serves
from models.training.updates.stacked_techniques import StackedTechniques
from tests.models import examples

RATE = 0.3
pytestmark = pytest.mark.skipif(library.reason() is not None, reason=f"no compiled code: {library.reason()}")


def _network(techniques=(), **changes):
    return examples.network(examples.trial(techniques=techniques, **changes), examples.pieces("bernoulli", [4]))


def _rows(network):
    generator = torch.Generator().manual_seed(3)
    gradient_SP = network.parameters.gradient_SP
    gradient_SP.copy_(torch.randn(gradient_SP.shape, generator=generator))
    velocity_SP = torch.randn(gradient_SP.shape, generator=generator).to(gradient_SP)
    return gradient_SP, velocity_SP, vector_norm(gradient_SP).item()


@pytest.mark.parametrize("units", [1, 2, 5, 33])  # with and without a rest, and more than one block of a sum
@pytest.mark.parametrize(
    "techniques", [(), (Clipping(0.5),), (Clipping(1e9),), (Nesterov(0.9),), (Clipping(0.5), Nesterov(0.9))]
)
def test_it_is_what_the_hooks_give(techniques, units):
    network = _network(techniques, hidden_size=units)
    gradient_SP, velocity_SP, norm = _rows(network)
    theta_SP, still_SP = network.parameters.theta_SP, gradient_SP.clone()
    before, wanted, wanted_velocity, clipped = (each.clone() for each in (theta_SP, theta_SP, velocity_SP, gradient_SP))
    hooks = StackedTechniques([techniques], theta_SP)
    hooks.transform_(clipped, torch.tensor([[norm]], dtype=torch.float64))
    rates_S1 = hooks.step_(wanted, clipped, wanted_velocity, torch.tensor([[RATE]], dtype=torch.float64))
    if rates_S1 is not None:
        SGD().step_(wanted, clipped, {}, rates_S1)

    shrunk, ratio = NativeStep(network)(velocity_SP, norm, RATE)
    torch.testing.assert_close(theta_SP, wanted, rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(velocity_SP, wanted_velocity, rtol=1e-14, atol=1e-15)
    assert torch.equal(gradient_SP, still_SP)
    assert shrunk == (techniques[:1] == (Clipping(0.5),))
    assert ratio == pytest.approx((vector_norm(wanted - before) / vector_norm(before)).item(), rel=1e-12)


def test_what_is_not_finite_is_passed_on():
    network = _network((Nesterov(0.5),))
    gradient_SP, velocity_SP, _ = _rows(network)
    gradient_SP[0, 1], velocity_SP[0, 2] = torch.nan, torch.inf
    _, ratio = NativeStep(network)(velocity_SP, 1.0, RATE)
    assert network.parameters.theta_SP.isfinite().logical_not().nonzero()[:, 1].tolist() == [1, 2]
    assert ratio != ratio


def test_a_step_from_nothing_has_no_size_beside_it():
    network = _network()
    _, velocity_SP, norm = _rows(network)
    network.parameters.theta_SP.zero_()
    assert NativeStep(network)(velocity_SP, norm, RATE) == (False, torch.inf)


@dataclass(frozen=True)
class _Stranger(Technique):
    letter = "C"
    title = "stranger"

    def transform_(self, gradient_SP, norm_S1):
        gradient_SP.neg_()


def test_it_serves_one_trial_of_what_it_knows():
    for techniques in ((), (Clipping(1.0), Nesterov(0.9)), examples.trial("LR").techniques):
        assert serves(_network(techniques))
    assert serves(_network(core="lstm"))
    assert not serves(_network((_Stranger(),)))
    assert not serves(_network(optimizer="Adam"))
    pair = [examples.trial(seed=1), examples.trial(seed=2)]
    assert not serves(examples.Network(pair, examples.frequencies(examples.pieces("bernoulli", [4]), 5)))
    with use_kernel("reference"):
        assert not serves(_network())
