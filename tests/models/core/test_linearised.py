"""The linearised layer against autograd through single steps: its states, tangents, gradients, in every kernel."""

import pytest
import torch
from torch import Tensor

from models.core import RNN, use_kernel
from models.parameters import Parameters
from tests.models import naive
from tests.models.core.kernels import KERNELS

S, T, B, D, H = 2, 4, 3, 3, 4


def _normal(*size: int, seed: int = 0) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("leaky", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_it_equals_the_derivatives_of_single_steps(kernel, symbols, leaky, activation):
    core = RNN(D, H, activation)
    parameters = Parameters(S, core.shapes(), torch.float64)
    parameters.theta_SP.copy_(_normal(*parameters.theta_SP.shape))
    values = {name: value.detach() for name, value in parameters.by_name.items()}
    random = torch.Generator().manual_seed(1)
    inputs = torch.randint(0, D, (S, T, B), generator=random) if symbols else _normal(S, T, B, D, seed=2)
    start = _normal(S, B, H, seed=3)
    retention = torch.rand(S, H, generator=random, dtype=torch.float64) if leaky else None
    names = ["input_weight", "recurrent_weight", "bias"]

    def states(input_weight: Tensor, recurrent_weight: Tensor, bias: Tensor, start: Tensor) -> Tensor:
        members = []
        for s in range(S):
            weights = {"input_weight": input_weight[s], "recurrent_weight": recurrent_weight[s], "bias": bias[s]}
            a = None if retention is None else retention[s]
            lanes = [naive.states(weights, inputs[s, :, b], activation, a, start[s, b])[1:] for b in range(B)]
            members.append(torch.stack([torch.stack(lane) for lane in lanes], dim=1))
        return torch.stack(members)

    arguments = tuple(values[name] for name in names) + (start,)
    moved = {name: _normal(*value.shape, seed=4 + i) for i, (name, value) in enumerate(values.items())}
    moved_start, cotangent = _normal(S, B, H, seed=8), _normal(S, T, B, H, seed=9)
    along = (*(moved[name] for name in names), moved_start)
    expected, expected_tangent = torch.autograd.functional.jvp(states, arguments, along)
    _, (*expected_gradients, expected_start) = torch.autograd.functional.vjp(states, arguments, cotangent)
    with use_kernel(kernel):
        layer = core.linearised(values, inputs, start, retention)
        tangent = layer.tangent(moved, moved_start)
        gradients, d_start = layer.gradient(cotangent)
    torch.testing.assert_close(layer.before_STBH, torch.cat([start.unsqueeze(1), expected[:, :-1]], 1))
    torch.testing.assert_close(layer.last_SBH, expected[:, -1])
    torch.testing.assert_close(tangent, expected_tangent)
    for name, gradient in zip(names, expected_gradients, strict=True):
        torch.testing.assert_close(gradients[name], gradient)
    torch.testing.assert_close(d_start, expected_start)
