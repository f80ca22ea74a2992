"""Stochastic gradient descent: theta <- theta - eps g."""

from torch import Tensor


def sgd_step_(theta_SP: Tensor, gradient_SP: Tensor, learning_rate_S1: Tensor) -> None:
    """One step in place.

    Args:
        theta_SP: parameters, one member a row.
        gradient_SP: their gradient.
        learning_rate_S1: eps of each member.
    """
    theta_SP.addcmul_(gradient_SP, learning_rate_S1, value=-1)
