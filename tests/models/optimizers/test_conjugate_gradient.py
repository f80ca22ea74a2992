"""Conjugate gradient against a solver of numpy, and its stop against the sentence of the paper."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.optimizers.conjugate_gradient import conjugate_gradient, has_settled


def _system(size: int, seed: int = 0, spread: float = 3.0) -> tuple[Tensor, Tensor]:
    """A symmetric matrix with eigenvalues from 1 to 10^spread, and a right-hand side."""
    random = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=random, dtype=torch.float64))
    matrix = basis @ torch.diag(torch.logspace(0, spread, size, dtype=torch.float64)) @ basis.T
    return matrix, torch.randn(size, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize("start", [0.0, 3.0])
def test_the_solution_is_that_of_numpy(start, preconditioned):
    matrix, target = _system(12)
    diagonal = matrix.diagonal().clone() if preconditioned else torch.ones(12, dtype=torch.float64)
    begins = torch.full((12,), start, dtype=torch.float64)
    found = conjugate_gradient(matrix.mv, target, begins, diagonal, 60, epsilon=0.0)
    assert found.sound
    np.testing.assert_allclose(found.iterates[-1], np.linalg.solve(matrix.numpy(), target.numpy()), rtol=1e-8)
    assert begins.tolist() == [start] * 12


def test_as_many_iterations_as_there_are_eigenvalues():
    matrix = torch.diag(torch.tensor([1.0, 1.0, 5.0, 5.0, 9.0], dtype=torch.float64))
    target = torch.arange(1.0, 6.0, dtype=torch.float64)
    found = conjugate_gradient(matrix.mv, target, torch.zeros(5).double(), torch.ones(5).double(), 3)
    torch.testing.assert_close(found.iterates[-1], target / matrix.diagonal(), rtol=1e-12, atol=0)
    assert found.iterations == 3


def test_the_right_preconditioner_leaves_one_iteration():
    diagonal = torch.logspace(-3, 3, 9, dtype=torch.float64)
    target = torch.ones(9, dtype=torch.float64)
    found = conjugate_gradient(diagonal.mul, target, torch.zeros_like(target), diagonal, 1)
    torch.testing.assert_close(found.iterates[-1], 1 / diagonal, rtol=1e-12, atol=0)


def test_every_iterate_is_better_and_the_kept_ones_are_spaced():
    matrix, target = _system(60, spread=4.0)
    ones = torch.ones(60, dtype=torch.float64)
    found = conjugate_gradient(matrix.mv, target, 0 * ones, ones, 30, epsilon=0.0)
    values = [(0.5 * x @ matrix @ x - target @ x).item() for x in found.iterates]
    assert values == sorted(values, reverse=True)
    places = []
    for x in found.iterates:
        alone = (
            conjugate_gradient(matrix.mv, target, 0 * ones, ones, n, epsilon=0.0).iterates[-1] for n in range(1, 31)
        )
        places.append(next(n for n, other in enumerate(alone, 1) if torch.equal(other, x)))
    assert places == [1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 30]


def _naive_stop(phi: list[float], epsilon: float) -> bool:
    """i > k, phi(x_i) < 0, (phi(x_i) - phi(x_{i-k})) / phi(x_i) < k eps, k = max(10, i / 10)."""
    i = len(phi) - 1
    k = max(10, math.ceil(0.1 * i))
    if not i > k:
        return False
    if not phi[i] < 0:
        return False
    return (phi[i] - phi[i - k]) / phi[i] < k * epsilon


@settings(max_examples=60, deadline=None)
@given(
    falls=st.lists(st.floats(0, 1), min_size=1, max_size=250),
    start=st.floats(-1, 1),
    epsilon=st.sampled_from([5e-4, 0.02]),
)
def test_the_stop_is_martens(falls, start, epsilon):
    phi = [start]
    for i, fall in enumerate(falls):
        phi.append(phi[-1] - fall / (1 + i) ** 2)
    assert has_settled(phi, epsilon) == _naive_stop(phi, epsilon)


def test_it_ends_where_the_stop_says_so():
    matrix, target = _system(100, spread=5.0)
    ones = torch.ones(100, dtype=torch.float64)
    found = conjugate_gradient(matrix.mv, target, 0 * ones, ones, 500)
    assert 10 < found.iterations < 500
    phi = []
    for n in range(found.iterations + 1):
        x = 0 * ones if n == 0 else conjugate_gradient(matrix.mv, target, 0 * ones, ones, n, epsilon=0.0).iterates[-1]
        phi.append((0.5 * x @ matrix @ x - target @ x).item())
    stops = [_naive_stop(phi[: n + 1], 5e-4) for n in range(len(phi))]
    assert stops == [False] * found.iterations + [True]


def test_a_start_at_the_solution_stays_there():
    diagonal = torch.tensor([2.0, 4.0], dtype=torch.float64)
    found = conjugate_gradient(diagonal.mul, diagonal.clone(), torch.ones(2).double(), diagonal, 5)
    assert (found.iterations, found.sound) == (0, True)
    assert found.iterates[-1].tolist() == [1, 1]


@pytest.mark.parametrize("broken", [-1.0, math.nan, math.inf])
def test_what_is_no_positive_curvature_is_said(broken):
    ones = torch.ones(3, dtype=torch.float64)
    found = conjugate_gradient(lambda x: broken * x, ones, 0 * ones, ones, 5)
    assert not found.sound
