"""Preconditioned conjugate gradient on a quadratic, with Martens' stopping rule and some iterates kept.

It minimises phi(x) = x'Ax / 2 - b'x for a positive definite A that is given by its products. Section 4 of Martens (ICML
2010): the iteration ends at the first i with

    i > k,   phi(x_i) < 0,   (phi(x_i) - phi(x_{i-k})) / phi(x_i) < k eps,   k = max(10, i / 10)

So the number of iterations depends on the present decrease of phi, not on the size of a residual. The iterates i = 1,
2, 3, 4, 6, 8, 11, ... are kept for backtracking; each i is about 1.3 times the one before.

It works on plain vectors, and knows nothing of networks.

Shape letters: P parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

from torch import Tensor

EPSILON = 5e-4
SHORTEST, SHARE, SPACING = 10, 0.1, 1.3


@dataclass(frozen=True)
class Solution:
    """The result of a minimisation.

    Attributes:
        iterates: the kept iterates; the last one is the solution.
        iterations: number of iterations, each of which takes one product with A.
        sound: False if a product was not finite, or the curvature along a direction was not positive.
    """

    iterates: tuple[Tensor, ...]
    iterations: int
    sound: bool


def has_settled(values: Sequence[float], epsilon: float = EPSILON) -> bool:
    """Martens' stopping rule, see above.

    Args:
        values: phi(x_0) ... phi(x_i).
        epsilon: relative progress of an iteration that counts as too little.
    """
    i = len(values) - 1
    k = max(SHORTEST, ceil(SHARE * i))
    return i > k and values[i] < 0 and (values[i] - values[i - k]) / values[i] < k * epsilon


def conjugate_gradient(
    product: Callable[[Tensor], Tensor],
    target_P: Tensor,
    start_P: Tensor,
    preconditioner_P: Tensor,
    most: int,
    epsilon: float = EPSILON,
) -> Solution:
    """Minimise phi, from a start.

    Args:
        product: x -> A x.
        target_P: b.
        start_P: x_0.
        preconditioner_P: positive diagonal of an approximation of A.
        most: largest number of iterations, from 1.
        epsilon: of the stopping rule.
    """
    x_P = start_P.clone()
    residual_P = target_P - product(x_P)
    direction_P = residual_P / preconditioner_P
    descent = residual_P.dot(direction_P).item()
    values = [_phi(x_P, target_P, residual_P)]
    kept: list[Tensor] = []
    due = 1.0
    sound = isfinite(descent)
    iterations = 0
    while sound and descent > 0 and iterations < most and not has_settled(values, epsilon):
        pushed_P = product(direction_P)
        curvature = direction_P.dot(pushed_P).item()
        if not (isfinite(curvature) and curvature > 0):
            sound = False
            break
        iterations += 1
        x_P = x_P + (descent / curvature) * direction_P
        residual_P = residual_P - (descent / curvature) * pushed_P
        scaled_P = residual_P / preconditioner_P
        before, descent = descent, residual_P.dot(scaled_P).item()
        direction_P = scaled_P + (descent / before) * direction_P
        values.append(_phi(x_P, target_P, residual_P))
        if iterations >= due:
            kept.append(x_P)
            due = max(ceil(due * SPACING), due + 1)
    if not kept or kept[-1] is not x_P:
        kept.append(x_P)
    return Solution(tuple(kept), iterations, sound)


def _phi(x_P: Tensor, target_P: Tensor, residual_P: Tensor) -> float:
    """x'Ax / 2 - b'x, without another product: -x'(b + r) / 2 with r = b - Ax."""
    return -0.5 * x_P.dot(target_P + residual_P).item()
