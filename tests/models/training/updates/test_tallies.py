"""Sums of an epoch against plain loops: of a stack on its device, and of one member in plain numbers."""

import math

import pytest
import torch

from models.training.updates.tallies import Tallies, Tally

UPDATES = [  # nll, scored steps, norm, whether clipped, ratio
    (10.0, 4, 2.0, True, 0.5),
    (3.0, 1, 7.0, False, 0.25),
    (8.5, 3, 0.5, True, 0.125),
]


def _summed(updates: list[tuple[float, int, float, bool, float]]) -> Tally:
    tally = Tally()
    for nll, steps, norm, clipped, ratio in updates:
        tally.updates += 1
        tally.log_likelihood -= nll
        tally.steps += steps
        tally.norms += norm
        tally.clipped += clipped
        tally.ratios += ratio
        tally.largest = max(tally.largest, norm)
    return tally


def test_members_that_stand_still_are_not_counted():
    tallies = Tallies([Tally(), Tally(), Tally(2, -1.0, 5, 3.0, 1, 0.5, 9.0)])
    moving = [[True, False, True], [True, True, False], [False, True, False]]
    for moving_S, values in zip(moving, UPDATES, strict=True):
        rows = [torch.full((3,), float(value)) for value in values]
        tallies.add(torch.tensor(moving_S), *rows)
    first, second, third = (tally for tally, _ in tallies.members())
    assert first == _summed(UPDATES[:2])
    assert second == _summed(UPDATES[1:])
    assert third == Tally(3, -11.0, 9, 5.0, 2, 1.0, 9.0)


def test_one_member_is_counted_in_plain_numbers_as_in_tensors():
    one, stack = Tallies([Tally()]), Tallies([Tally()])
    for values in UPDATES:
        one.count(*values)
        stack.add(torch.tensor([True]), *(torch.tensor([float(value)]) for value in values))
    assert one.members() == stack.members() == [(_summed(UPDATES), False)]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_stays_with_its_member(bad):
    tallies = Tallies([Tally(), Tally()])
    nll_S = torch.tensor([bad, 1.0])
    tallies.add(torch.tensor([False, True]), nll_S, *(torch.ones(2) for _ in range(4)))
    assert [tally.log_likelihood for tally, _ in tallies.members()] == [0.0, -1.0]


def test_a_copy_has_sums_and_divergences():
    ours, theirs = Tallies([Tally(), Tally()]), Tallies([Tally(1, -2.0, 3, 4.0, 1, 0.5, 4.0), Tally()])
    theirs.diverged[1] = True
    ours.copy_(theirs)
    assert ours.members() == theirs.members()
    theirs.diverged[0] = True
    assert [diverged for _, diverged in ours.members()] == [False, True]
