"""Steps of Hessian-free optimization on objectives of closed form: quadratics, and functions of one number."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from models.optimizers import HessianFree
from models.optimizers.hessian_free import Slope, adapted, backtrack, hessian_free_step, line_search
from models.randomness import Draws
from models.trial import Trial
from models.variants import Variant
from tests.models import examples


class Squares:
    """|A theta - b|^2 / 2: a linear network with squared error, whose Gauss-Newton matrix A'A is the Hessian."""

    def __init__(self, theta: Tensor, rows: int = 9, seed: int = 0):
        random = torch.Generator().manual_seed(seed)
        self.theta = theta
        self.A = torch.randn(rows, len(theta), generator=random, dtype=torch.float64)
        self.b = torch.randn(rows, generator=random, dtype=torch.float64)
        self.structure = torch.diag(torch.linspace(1, 2, len(theta), dtype=torch.float64))

    def cost(self, theta_P: Tensor) -> float:
        return 0.5 * (self.A @ theta_P - self.b).square().sum().item()

    def slope(self) -> Slope:
        rows = self.A * (self.A @ self.theta - self.b).unsqueeze(1)
        return Slope(self.cost(self.theta), rows.sum(0), rows.square().sum(0))

    def product(self, direction_P: Tensor, structural: float) -> Tensor:
        return self.A.T @ (self.A @ direction_P) + structural * (self.structure @ direction_P)


def _start(size: int = 5) -> Tensor:
    return torch.linspace(-1, 1, size, dtype=torch.float64)


def test_one_step_without_damping_solves_a_quadratic():
    theta = _start()
    squares = Squares(theta)
    step = hessian_free_step(squares, theta, squares.slope(), 1e-12, torch.zeros_like(theta))
    torch.testing.assert_close(
        theta + step.moved_P, torch.linalg.lstsq(squares.A, squares.b).solution, rtol=1e-7, atol=1e-9
    )
    assert (step.sound, step.rate) == (True, 1.0)
    assert step.rho == pytest.approx(1, rel=1e-9)
    assert step.damping == pytest.approx(1e-10), "it has a lowest"


def test_a_damped_step_solves_the_damped_system():
    theta = _start()
    squares, damping, structural = Squares(theta), 3.0, 0.4
    slope = squares.slope()
    step = hessian_free_step(squares, theta, slope, damping, torch.zeros_like(theta), structural=structural)
    eye = torch.eye(5, dtype=torch.float64)
    matrix = squares.A.T @ squares.A + damping * (eye + structural * squares.structure)
    torch.testing.assert_close(step.solution_P, torch.linalg.solve(matrix, -slope.gradient_P), rtol=1e-8, atol=1e-10)
    assert step.rate == 1
    moved = step.moved_P
    model = slope.gradient_P @ moved + 0.5 * moved @ squares.A.T @ squares.A @ moved
    fell = squares.cost(theta + moved) - squares.cost(theta)
    assert step.rho == pytest.approx(fell / model.item(), rel=1e-9), "without the damping"


def test_strong_damping_is_gradient_descent_at_the_rate_of_its_inverse():
    theta = _start()
    squares = Squares(theta)
    slope = squares.slope()
    step = hessian_free_step(squares, theta, slope, 1e8, torch.zeros_like(theta), structural=0.0)
    torch.testing.assert_close(step.moved_P, -slope.gradient_P / 1e8, rtol=1e-6, atol=0)


def test_conjugate_gradient_starts_from_the_last_solution():
    theta = _start(40)
    squares = Squares(theta, rows=60)
    slope = squares.slope()
    solved = hessian_free_step(squares, theta, slope, 0.1, torch.zeros_like(theta)).solution_P
    cold = hessian_free_step(squares, theta, slope, 0.1, torch.zeros_like(theta), most=1).solution_P
    warm = hessian_free_step(squares, theta, slope, 0.1, solved, most=1).solution_P
    assert (warm - solved).norm() < 0.1 * (cold - solved).norm()


@given(st.floats(-10, 10) | st.sampled_from([0.24, 0.26, 0.5, 0.6, 0.74, 0.76]), st.floats(1e-6, 1e6))
def test_levenberg_and_marquardt(rho, damping):
    expected = damping * 1.5 if rho < 1 / 4 else damping / 1.5 if rho > 3 / 4 else damping
    assert adapted(damping, rho) == pytest.approx(expected)


def test_damping_grows_where_nothing_was_promised_or_found():
    assert adapted(2.0, -math.inf) == adapted(2.0, -0.3) == 3.0


class Line:
    """A cost of one number."""

    def __init__(self, function: Callable[[float], float]):
        self.function = function

    def cost(self, theta_P: Tensor) -> float:
        return self.function(theta_P.item())


def _number(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


@given(st.floats(0.05, 30), st.floats(-3, 3), st.sampled_from([8.0, 2.49, 1.99, 1.0]))
def test_the_line_search_never_goes_up_and_takes_the_first_that_is_good_enough(curvature, start, far):
    line = Line(lambda x: 0.5 * curvature * x * x)
    slope = Slope(line.cost(_number(start)), _number(curvature * start), _number(0.0))
    direction = _number(-far * start)
    rate = line_search(line, _number(start), direction, slope, line.cost(_number(start) + direction))
    falls = (slope.gradient_P * direction).item()
    tried = [0.8**n for n in range(60)]
    good = [r for r in tried if line.function(start * (1 - far * r)) <= slope.cost + 0.01 * r * falls]
    if slope.cost > 1e-12:
        assert rate == pytest.approx(good[0])
        assert line.function(start * (1 - far * rate)) < slope.cost


def test_the_line_search_gives_up_where_every_point_is_worse():
    line = Line(abs)
    slope = Slope(0.0, _number(1.0), _number(0.0))
    assert line_search(line, _number(0.0), _number(-1.0), slope, 1.0) == 0.0
    flat = Line(lambda x: 1.0)
    assert line_search(flat, _number(0.0), _number(1.0), Slope(1.0, _number(1.0), _number(0.0)), 1.0) == 0.0
    overflowing = Line(lambda x: math.inf if x else 1.0)
    slope = Slope(1.0, _number(1.0), _number(0.0))
    assert line_search(overflowing, _number(0.0), _number(-1.0), slope, math.inf) == 0.0


@pytest.mark.parametrize(
    ("costs", "reached"),
    [
        ([5.0, 4.0, 3.0, 2.0], 2.0),  # the last is the best
        ([5.0, 1.0, 2.0, 3.0], 1.0),  # backwards while it falls
        ([0.5, 1.0, 0.9, 3.0], 0.9),  # and no further: not to the best of all
        ([1.0, math.inf, math.nan, math.inf], 1.0),  # what overflows is left
        ([2.0, 2.0, 2.0], 2.0),
    ],
)
def test_backtracking(costs, reached):
    iterates = tuple(_number(float(i)) for i in range(len(costs)))
    line = Line(lambda x: costs[int(x)])
    best, cost = backtrack(line, _number(0.0), iterates)
    assert cost == reached
    assert costs[int(best.item())] == reached


def test_a_step_that_finds_nothing_better_moves_nothing_and_damps_more():
    theta = _start()
    squares = Squares(theta)
    squares.cost = lambda theta_P: 1e9  # type: ignore[method-assign]  # worse than promised, everywhere
    step = hessian_free_step(squares, theta, Squares(theta).slope(), 2.0, torch.zeros_like(theta))
    assert (step.sound, step.rate, step.damping) == (True, 0.0, 3.0)
    assert not step.moved_P.any()


def test_a_curvature_that_is_not_finite_is_no_step():
    theta = _start()
    squares = Squares(theta)
    squares.product = lambda direction_P, structural: direction_P * math.nan  # type: ignore[method-assign]
    step = hessian_free_step(squares, theta, squares.slope(), 2.0, torch.zeros_like(theta))
    assert not step.sound
    assert not step.moved_P.any()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rnn/softmax/HF", "HF does not go with softmax: it needs the curvature"),
        ("rnn/rbm/HF", "HF does not go with rbm: .*; take bernoulli or nade"),
        ("rnn/classes/HF", "HF does not go with classes: "),
        ("lstm/bernoulli/HF", "HF does not go with lstm: .*; take rnn"),
        ("gru/bernoulli/HF", "HF does not go with gru: .*; take rnn"),
        ("rnn/bernoulli/HF+C", r"HF does not go with technique C \(gradient clipping\), which .*; take it with SGD"),
        ("rnn/bernoulli/HF+LRM", r"HF does not go with technique M \(Nesterov momentum\), which"),
    ],
)
def test_what_does_not_go_together_is_refused(name, said):
    with pytest.raises(ValueError, match=said) as refused:
        Variant.parse(name)
    assert "\n" not in str(refused.value)


def test_leaky_and_rectified_units_go_with_it_and_dropout_does_not():
    assert examples.trial("LR", optimizer="HF").variant == "rnn/bernoulli/HF+LR"
    for name in ("input_dropout", "output_dropout"):
        with pytest.raises(ValueError, match=f"^{name}: HF compares one cost at many points"):
            examples.trial(optimizer="HF", **{name: 0.1})
    for name, value, why in (("transposition", 1, "HF takes the"), ("averaging", 0.9, "a step of HF is")):
        with pytest.raises(ValueError, match=f"^{name}: {why}.*; wants 0$"):
            examples.trial(optimizer="HF", **{name: value})


def test_the_trial_comes_back_from_its_json():
    trial = examples.trial("L", optimizer="HF")
    assert Trial.from_json(trial.to_json()) == trial


def test_draws_are_of_the_inverse_damping():
    rates = [HessianFree.draw_learning_rate(Draws(i)) for i in range(1000)]
    assert 1 <= min(rates) < 1.05
    assert 95 < max(rates) <= 100
