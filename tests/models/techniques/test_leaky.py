"""L: the two readings of the paper's interval, and what they make of a unit's memory."""

import math

import pytest
import torch

from models.core import leaky_scan
from models.randomness import Draws, generator_for
from models.techniques import Leaky
from models.techniques.leaky import READINGS

INTERVALS = {"retention": (0.02, 0.2), "update-rate": (0.8, 0.98)}


@pytest.mark.parametrize("reading", READINGS)
def test_retention_fills_its_interval(reading):
    a = Leaky(1.0, reading).retention(4000, generator_for(0)).double()
    low, high = INTERVALS[reading]
    assert low - 1e-6 <= a.min() < low + 0.002
    assert high - 0.002 < a.max() <= high + 1e-6
    assert abs(a.mean().item() - (low + high) / 2) < 5 * (high - low) / math.sqrt(12 * 4000)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(("share", "hidden", "leaking"), [(0.25, 8, 2), (0.5, 7, 4), (1.0, 5, 5), (0.1, 3, 0)])
def test_the_share_of_units_that_leak(reading, share, hidden, leaking):
    a = Leaky(share, reading).retention(hidden, generator_for(1))
    assert a.shape == (hidden,)
    assert int((a > 0).sum()) == leaking
    assert ((a >= 0) & (a < 1)).all()


def test_other_intervals_are_kept():
    a = Leaky(1.0, "retention", 0.5, 0.6).retention(100, generator_for(2))
    assert ((a >= 0.5) & (a <= 0.6)).all()
    u = 1 - Leaky(1.0, "update-rate", 0.5, 0.6).retention(100, generator_for(2))
    assert ((u >= 0.5 - 1e-6) & (u <= 0.6 + 1e-6)).all()


def _steps_remembered(a: torch.Tensor) -> torch.Tensor:
    """Sum of what is left of one unit of state over all later steps, met in the scan itself."""
    H = len(a)
    nothing = torch.zeros(1, 2000, 1, H, dtype=torch.float64)
    one, W = torch.ones(1, 1, H, dtype=torch.float64), torch.zeros(1, H, H, dtype=torch.float64)
    return 1 + leaky_scan(nothing, one, W, a[None], "tanh")[0, :, 0].sum(0)


def test_time_constants():
    slow = _steps_remembered(Leaky(1.0, "update-rate").retention(300, generator_for(3)).double())
    assert 5 - 1e-3 <= slow.min() < 5.3
    assert 35 < slow.max() <= 50 + 1e-3
    fast = Leaky(1.0, "retention").retention(300, generator_for(3)).double()
    assert (_steps_remembered(fast) <= 1.25 + 1e-6).all()
    assert (-1 / fast.log() < 1).all(), "as printed, the memory is under one step"


def test_the_same_numbers_drive_both_readings():
    kept = Leaky(0.5, "retention").retention(20, generator_for(4))
    updated = Leaky(0.5, "update-rate").retention(20, generator_for(4))
    torch.testing.assert_close(kept[:10], 1 - updated[:10])


def test_draws_cover_both_readings_and_both_shares():
    drawn = [Leaky.draw(Draws(i), "music") for i in range(200)]
    assert {(leaky.share, leaky.reading) for leaky in drawn} == {(s, r) for s in (0.25, 0.5) for r in READINGS}
    assert {(leaky.low, leaky.high) for leaky in drawn} == {(0.02, 0.2)}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((0.0, "retention"), "share"),
        ((1.1, "retention"), "share"),
        ((math.nan, "retention"), "share"),
        ((0.5, "printed"), "reading"),
        ((0.5, "retention", 0.0, 0.2), "interval"),
        ((0.5, "retention", 0.3, 0.2), "interval"),
        ((0.5, "retention", 0.02, 1.0), "interval"),
    ],
)
def test_bad_values_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        Leaky(*arguments)
