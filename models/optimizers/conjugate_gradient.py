"""Preconditioned conjugate gradient on a quadratic, with Martens' stop and some of the iterates kept.

Minimises phi(x) = x'Ax / 2 - b'x for a positive definite A that is given by its products. Section 4 of Martens (ICML
2010): the iteration ends at the first i with

    i > k,   phi(x_i) < 0,   (phi(x_i) - phi(x_{i-k})) / phi(x_i) < k eps,   k = max(10, i / 10)

so that its length follows from how fast phi still falls, and not from a residual that nobody asked to be small. For
backtracking, the iterates i = 1, 2, 3, 4, 6, 8, 11, ... are kept, each about 1.3 times as far as the one before.

Knows of vectors only.

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
    """What came of it.

    Attributes:
        iterates: those that were kept, the last one last.
        iterations: how many products were made after that for the start.
        sound: False where a product was not finite, or a direction had no positive curvature.
    """

    iterates: tuple[Tensor, ...]
    iterations: int
    sound: bool


def has_settled(values: Sequence[float], epsilon: float = EPSILON) -> bool:
    """Martens' stop, see above.

    Args:
        values: phi(x_0) ... phi(x_i).
        epsilon: relative progress an iteration that is too little.
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
        preconditioner_P: the diagonal of a matrix like A, over 0.
        most: iterations at most, from 1.
        epsilon: of the stop.
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
    """x'Ax / 2 - b'x without another product: -x'(b + r) / 2, r = b - Ax."""
    return -0.5 * x_P.dot(target_P + residual_P).item()
