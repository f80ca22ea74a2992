"""Stochastic gradient descent: theta <- theta - eps g."""

from torch import Tensor


def sgd_step_(theta_SP: Tensor, gradient_SP: Tensor, learning_rate: float) -> None:
    """One step in place.

    Args:
        theta_SP: parameters, one member a row.
        gradient_SP: their gradient.
        learning_rate: eps.
    """
    theta_SP.sub_(gradient_SP, alpha=learning_rate)
