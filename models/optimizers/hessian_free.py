"""Hessian-free optimization: truncated Newton steps with the Gauss-Newton matrix, damped.

Martens (ICML 2010), Martens & Sutskever (ICML 2011). A step minimises, by conjugate gradient from the last solution,

    phi(d) = g'd + d'(G + lambda I + lambda mu S) d / 2

G is the Gauss-Newton matrix of the cost. lambda is the Tikhonov damping. S is the structural damping: the Gauss-Newton
matrix of half the squared distance between the hidden states before and after the step. The step then goes backwards
through the kept iterates while the true cost falls, and takes the best one as d. lambda is adapted by the
Levenberg-Marquardt rule,

    rho = (f(theta + d) - f(theta)) / (g'd + d'Gd / 2);   lambda * 3/2 if rho < 1/4, lambda * 2/3 if rho > 3/4.

A line search shortens d by a factor of 0.8 until the cost falls by at least 1 % of the decrease that its slope
predicts. If there is no such point, the parameters stay unchanged.

The preconditioner is Martens': (D + lambda)^0.75, with D the sum of the squared gradients of the chunks, on the scale
of G.

This file works on an objective and on vectors; `models/training/updates/objective.py` has the objective of a network.

Shape letters: P parameters.
"""

from dataclasses import dataclass
from math import inf, isfinite
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from models.core import Core
from models.optimizers.base import Method
from models.optimizers.conjugate_gradient import conjugate_gradient
from models.outputs.base import Output
from models.outputs.logits import LogitOutput
from models.randomness import Draws
from models.techniques.base import Technique

STRUCTURAL = 0.1
"""mu."""
WARM = 0.95
"""Conjugate gradient starts from this fraction of the last solution."""
MOST_ITERATIONS = 100
POWER = 0.75
SUFFICIENT, SHRINK, MOST_TRIES = 0.01, 0.8, 60
LOWEST_DAMPING = 1e-10


class HessianFree(Method):
    """The method that a variant names. An epoch is one step; the learning rate means 1 / lambda."""

    name: ClassVar[str] = "HF"
    epochs_in_one: ClassVar[int] = 100

    @classmethod
    def draw_learning_rate(cls, draws: Draws) -> float:
        """1 / lambda at the start, log-uniform in [1, 100]; later the Levenberg-Marquardt rule adapts it."""
        return draws.log_uniform("learning_rate", 1.0, 100.0)

    @classmethod
    def why_not(cls, core: type[Core], output: type[Output], techniques: tuple[type[Technique], ...]) -> str | None:
        """It needs derivative products of core and logits, and allows no technique that changes gradient or step."""
        if not hasattr(core, "linearised"):
            return f"{core.name}: it needs products with the derivative of the core, which only rnn gives; take rnn"
        if not issubclass(output, LogitOutput):
            return f"{output.name}: it needs the curvature of an exact cost in logits of notes; take bernoulli or nade"
        for technique in techniques:
            if technique.transform_ is not Technique.transform_ or technique.step_ is not Technique.step_:
                return (
                    f"technique {technique.letter} ({technique.title}), which changes gradient or step: its steps"
                    " have a length of their own; take it with SGD"
                )
            if technique.pretraining is not Technique.pretraining:
                return (
                    f"technique {technique.letter} ({technique.title}): its phases take the learning rate of the trial,"
                    " which is a damping here; take it with SGD or Adam"
                )
        return None


class Slope(NamedTuple):
    """The cost at the present parameters, its gradient (P,), and D (P,)."""

    cost: float
    gradient_P: Tensor
    squares_P: Tensor


class Objective(Protocol):
    """The cost to minimise, a mean over data; it holds the present parameters."""

    def slope(self) -> Slope:
        """The cost, its gradient, and the sum of the squared gradients of its chunks, on the scale of G."""

    def cost(self, theta_P: Tensor) -> float:
        """The cost at other parameters; not finite if it overflows."""

    def product(self, direction_P: Tensor, structural: float) -> Tensor:
        """(G + structural S) v."""


@dataclass(frozen=True)
class Step:
    """The result of a step.

    Attributes:
        moved_P: the change to add to the parameters; zero if no point was better.
        damping: lambda for the next step.
        solution_P: solution of conjugate gradient, which the next step starts from.
        iterations: of conjugate gradient.
        rho: decrease of the cost, divided by the decrease that the undamped quadratic model predicts.
        rate: of the line search; 0 if no point was better.
        sound: False if cost, gradient or curvature were not finite; nothing is changed then.
    """

    moved_P: Tensor
    damping: float
    solution_P: Tensor
    iterations: int
    rho: float
    rate: float
    sound: bool


def hessian_free_step(
    objective: Objective,
    theta_P: Tensor,
    slope: Slope,
    damping: float,
    last_P: Tensor,
    *,
    structural: float = STRUCTURAL,
    most: int = MOST_ITERATIONS,
) -> Step:
    """One step.

    Args:
        objective: the cost around theta.
        theta_P: the present parameters.
        slope: result of `objective.slope` there.
        damping: lambda.
        last_P: the solution of the previous step; zero at first.
        structural: mu.
        most: largest number of iterations of conjugate gradient.
    """
    gradient_P = slope.gradient_P

    def damped(direction_P: Tensor) -> Tensor:
        return objective.product(direction_P, damping * structural).add_(direction_P, alpha=damping)

    preconditioner_P = (slope.squares_P + damping) ** POWER
    solution = conjugate_gradient(damped, -gradient_P, WARM * last_P, preconditioner_P, most)
    zero_P = torch.zeros_like(theta_P)
    final_P = solution.iterates[-1]
    if not (solution.sound and isfinite(slope.cost) and bool(final_P.isfinite().all())):
        return Step(zero_P, damping, zero_P, solution.iterations, -inf, 0.0, sound=False)
    direction_P, reached = backtrack(objective, theta_P, solution.iterates)
    predicted = gradient_P.dot(direction_P).item()
    predicted += 0.5 * direction_P.dot(objective.product(direction_P, 0.0)).item()
    rho = (reached - slope.cost) / predicted if predicted < 0 else -inf
    rate = line_search(objective, theta_P, direction_P, slope, reached)
    return Step(rate * direction_P, adapted(damping, rho), final_P, solution.iterations, rho, rate, sound=True)


def backtrack(objective: Objective, theta_P: Tensor, iterates: tuple[Tensor, ...]) -> tuple[Tensor, float]:
    """Go backwards from the last iterate while the cost does not rise; return the iterate reached, and its cost."""
    best_P, reached = iterates[-1], objective.cost(theta_P + iterates[-1])
    for earlier_P in reversed(iterates[:-1]):
        cost = objective.cost(theta_P + earlier_P)
        if isfinite(reached) and not cost <= reached:
            break
        best_P, reached = earlier_P, cost
    return best_P, reached


def adapted(damping: float, rho: float) -> float:
    """The next damping, by the Levenberg-Marquardt rule.

    >>> adapted(1.0, 0.2), adapted(1.0, 0.5), adapted(3.0, 0.8)
    (1.5, 1.0, 2.0)
    """
    if rho > 0.75:
        return max(damping / 1.5, LOWEST_DAMPING)
    return damping if rho >= 0.25 else damping * 1.5


def line_search(objective: Objective, theta_P: Tensor, direction_P: Tensor, slope: Slope, whole: float) -> float:
    """The first rate of 1, 0.8, 0.64, ... at which the cost falls enough along the direction; 0 if there is none.

    Args:
        objective, theta_P, slope: as for the step.
        direction_P: d.
        whole: the cost at theta + d.
    """
    descent = slope.gradient_P.dot(direction_P).item()
    rate, cost = 1.0, whole
    for _ in range(MOST_TRIES):
        if cost <= slope.cost + SUFFICIENT * rate * min(descent, 0.0) and cost < slope.cost:
            return rate
        rate *= SHRINK
        cost = objective.cost(theta_P + rate * direction_P)
    return 0.0
