"""Learning-rate schedule and early stopping: what the validation scores so far say of the epochs to come.

With v_0 ... v_n the scores of the network as it starts and of n epochs, the epoch n

    is a new best          if v_n > max(v_0 ... v_{n-1})
    comes back             if it is no new best, but v_n > v_{n-1}
    is waited through      otherwise

The learning rate is multiplied by `decay` after every epoch that is no new best. Training ends when `patience` epochs
since the best one were waited through: one that comes back from far away is left to.

Numbers alone: no tensor, no trial, no network.
"""

from typing import NamedTuple


class Verdict(NamedTuple):
    """What the score of an epoch means.

    Attributes:
        new_best: whether it is over all scores before.
        waited: epochs since the best one that were waited through.
    """

    new_best: bool
    waited: int


def judge(valid: float, best: float, before: float, waited: int) -> Verdict:
    """What the score of an epoch means.

    Args:
        valid: v_n, finite.
        best: the largest of v_0 ... v_{n-1}.
        before: v_{n-1}.
        waited: of the verdict before, 0 at the start.

    >>> judge(-9.0, best=-10.0, before=-10.5, waited=2), judge(-10.2, best=-10.0, before=-10.5, waited=2)
    (Verdict(new_best=True, waited=0), Verdict(new_best=False, waited=2))
    """
    if valid > best:
        return Verdict(True, 0)
    return Verdict(False, waited + (valid <= before))


def next_rate(rate: float, decay: float, new_best: bool) -> float:
    """The learning rate of the next epoch, after one of `rate`."""
    return rate if new_best else rate * decay


def is_over(epoch: int, epochs: int, waited: int, patience: int) -> bool:
    """Whether training ends before an epoch: the only place where the number of a trial's epochs decides anything.

    Nothing else may, so that a trial that is equal but for more epochs goes on from there (`progress.grown`).

    Args:
        epoch: the one to come, from 1.
        epochs, patience: of the trial.
        waited: of the last verdict.
    """
    return epoch > epochs or waited >= patience
