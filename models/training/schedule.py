"""The learning-rate schedule and early stopping, as pure functions of the validation scores.

Let v_0 be the score of the initial network, and v_1 ... v_n those of n epochs. Epoch n

    is a new best    if v_n > max(v_0 ... v_{n-1})
    recovers         if it is not a new best, but v_n > v_{n-1}
    is waited for    otherwise

The learning rate is multiplied by `decay` after every epoch that is not a new best. Training ends when `patience`
epochs since the best one were waited for. Recovering epochs do not count, so a run that blew up may come back.

These functions know no tensors, trials or networks.
"""

from typing import NamedTuple


class Verdict(NamedTuple):
    """The meaning of an epoch's score.

    Attributes:
        new_best: whether the score is better than all earlier ones.
        waited: number of epochs since the best one that were waited for.
    """

    new_best: bool
    waited: int


def judge(valid: float, best: float, before: float, waited: int) -> Verdict:
    """Judge the score of an epoch.

    Args:
        valid: v_n, finite.
        best: the largest of v_0 ... v_{n-1}.
        before: v_{n-1}.
        waited: of the previous verdict; 0 at the start.

    >>> judge(-9.0, best=-10.0, before=-10.5, waited=2), judge(-10.2, best=-10.0, before=-10.5, waited=2)
    (Verdict(new_best=True, waited=0), Verdict(new_best=False, waited=2))
    """
    if valid > best:
        return Verdict(True, 0)
    return Verdict(False, waited + (valid <= before))


def next_rate(rate: float, decay: float, new_best: bool) -> float:
    """The learning rate of the next epoch, after an epoch with learning rate `rate`."""
    return rate if new_best else rate * decay


def is_over(epoch: int, epochs: int, waited: int, patience: int) -> bool:
    """Whether training ends before the given epoch.

    This is the only place where a trial's number of epochs has an effect. So a trial that differs only by more epochs
    can continue from there (`progress.grown`).

    Args:
        epoch: the next epoch, from 1.
        epochs, patience: of the trial.
        waited: of the last verdict.
    """
    return epoch > epochs or waited >= patience
