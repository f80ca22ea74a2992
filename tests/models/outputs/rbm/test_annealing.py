"""Annealed importance sampling against enumeration: the estimate, its error, and the stream of each member."""

import pytest
import torch

from models.outputs.effort import MONITOR, Effort
from models.outputs.rbm.annealing import log_partition
from models.outputs.rbm.machine import Machines
from tests.models.outputs import machines as small


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _repeated(some: Machines, times: int) -> Machines:
    return Machines(some.visible_SND.repeat(1, times, 1), some.hidden_SNU.repeat(1, times, 1), some.coupling_SUD)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("notes", "units"), [(7, 5), (1, 1), (3, 8)])
def test_estimates_lie_within_their_errors_of_the_sum_over_everything(notes, units, dtype):
    some = small.machines(members=2, count=40, notes=notes, units=units)
    exact = small.log_partition(some)
    estimate, error = log_partition(Machines(*(v.to(dtype) for v in vars(some).values())), MONITOR, _generators(1, 2))
    assert estimate.dtype == error.dtype == torch.float64
    assert estimate.shape == error.shape == (2, 40)
    z = (estimate - exact) / error
    assert z.abs().max() < 5
    assert abs(z.mean()) < 5 / 80**0.5
    assert (error < 0.3).all()


@pytest.mark.parametrize(("effort", "scale"), [(Effort(100, 20), 1.0), (Effort(60, 60), 2.0), (Effort(50, 1), 0.3)])
def test_the_standard_error_is_the_spread_of_repeated_estimates(effort, scale):
    one = small.machines(members=1, count=1, notes=6, units=5, scale=scale)
    exact = small.log_partition(one).item()
    estimate, error = log_partition(_repeated(one, 400), effort, _generators(3))
    spread = estimate.std().item()
    # The variance of 400 is known to about 7 %, and the estimated errors scatter themselves.
    assert error.square().mean().sqrt().item() == pytest.approx(spread, rel=0.2)
    assert abs(estimate.exp().mean().log().item() - exact) < 5 * spread / 20, "the mean weight is without bias"
    low = exact - estimate.mean().item()
    assert low == pytest.approx(spread**2 / 2, abs=5 * spread / 20), "and its logarithm low by half the variance"


def test_more_temperatures_make_it_surer():
    some = small.machines(members=1, count=30, notes=7, units=6, scale=1.5)
    errors = [log_partition(some, Effort(50, k), _generators(4))[1].mean().item() for k in (5, 50, 500)]
    assert errors[0] > 1.5 * errors[1] > 2.2 * errors[2]


def test_without_couplings_it_is_exact():
    some = small.machines(members=2, count=3, notes=4, units=3, scale=0.0)
    estimate, error = log_partition(some, Effort(2, 1), _generators(1, 2))
    torch.testing.assert_close(estimate, small.log_partition(some))
    assert error.max() < 1e-12


def test_members_have_the_numbers_that_they_have_alone():
    some = small.machines(members=2, count=25, notes=4, units=3)
    together = log_partition(some, MONITOR, _generators(1, 2))
    for s in range(2):
        alone = Machines(*(value[s : s + 1] for value in vars(some).values()))
        for mine, theirs in zip(log_partition(alone, MONITOR, _generators(s + 1)), together, strict=True):
            torch.testing.assert_close(mine[0], theirs[s], rtol=1e-12, atol=1e-12)


def test_machines_are_left_as_they_were_and_nan_is_not_hidden():
    some = small.machines(members=1, count=2, notes=4, units=3)
    before = [value.clone() for value in vars(some).values()]
    log_partition(some, Effort(3, 4), _generators(1))
    assert all(torch.equal(a, b) for a, b in zip(before, vars(some).values(), strict=True))
    some.coupling_SUD[0, 0, 0] = torch.nan
    assert log_partition(some, Effort(3, 4), _generators(1))[0].isnan().all()


def test_no_machine_gives_no_estimate():
    some = small.machines(members=1, count=0, notes=4, units=3)
    assert log_partition(some, Effort(3, 4), _generators(1))[0].shape == (1, 0)


@pytest.mark.parametrize(("chains", "temperatures"), [(1, 10), (0, 10), (2, 0)])
def test_bad_efforts_are_refused(chains, temperatures):
    with pytest.raises(ValueError, match="^effort: wants 2 chains and 1 temperature or more, got"):
        Effort(chains, temperatures)
