"""NADE's products at one point against torch.func through its plain logits, which a loop over notes checks."""

import pytest
import torch
from torch import Tensor

from models.core import use_kernel
from models.outputs.nade import linearised as nade_linearised
from tests.models.outputs.nade.test_nade import KERNELS, SIZES, frames, made, states

# torch loads old parts of itself at the first derivative in forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
CASES = [(size, (), 1024) for size in SIZES] + [
    ((2, 9, 8, 3, 5), (2, 0, 3, 1, 4, 6, 5, 7), 1024),
    ((1, 9, 8, 3, 5), (7, 6, 5, 4, 3, 2, 1, 0), 2),  # blocks of frames
    ((3, 7, 6, 2, 4), (), 1),  # blocks of one, of which one is silent
]


def _like(values: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {name: torch.randn(value.shape, generator=random, dtype=value.dtype) for name, value in values.items()}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("size", "order", "block"), CASES)
def test_products_equal_those_of_torch_func(monkeypatch, kernel, size, order, block):
    monkeypatch.setattr(nade_linearised, "FRAMES", block)
    S, N, D, H, U = size
    model, parameters = made(S, D, H, U, order)
    data = frames(S, N, D)
    values = {name: value.detach() for name, value in parameters.by_name.items()}
    everything = values | {"states": states(S, N, H).detach()}

    def logits(everything: dict[str, Tensor]) -> Tensor:
        return model.logits(everything, everything["states"], data)

    moved = _like(everything, 1)
    z, moved_z = torch.func.jvp(logits, (everything,), (moved,))
    _, back = torch.func.vjp(logits, everything)
    with use_kernel(kernel):
        linear = model.linearised(values, everything["states"], data)
        torch.testing.assert_close(linear.logits, z)
        for seed in (2, 3):  # what is kept serves again
            torch.testing.assert_close(linear.tangent(moved, moved["states"]), moved_z)
            d_z = _like({"z": z}, seed)["z"]
            gradients, d_states = linear.gradient(d_z)
            (expected,) = back(d_z)
            torch.testing.assert_close({**gradients, "states": d_states}, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_point_and_the_directions_are_left_as_they_are(kernel):
    model, parameters = made(1, 5, 3, 4)
    values = {name: value.detach() for name, value in parameters.by_name.items()}
    h, data = states(1, 6, 3).detach(), frames(1, 6, 5)
    moved, d_z = _like(values | {"states": h}, 1), torch.ones(1, 1, 6, 5, dtype=torch.float64)
    given = [*values.values(), h, data, *moved.values(), d_z]
    before = [value.clone() for value in given]
    with use_kernel(kernel):
        linear = model.linearised(values, h, data)
        linear.tangent(moved, moved["states"])
        linear.gradient(d_z)
    assert all(torch.equal(a, b) for a, b in zip(given, before, strict=True))


def test_data_of_another_shape_are_refused():
    model, parameters = made(1, 5, 3, 4)
    with pytest.raises(ValueError, match="^data: wants"):
        model.linearised(parameters.by_name, states(1, 6, 3), frames(1, 6, 4))
