import pytest
import torch

from models.core import use_kernel
from models.core.base import project
from models.core.sparse import serves, sparse_affine
from models.native import library

pytestmark = [
    pytest.mark.skipif(library.reason() is not None, reason="the native kernel cannot be used here"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]
SIZES = ((1, 1, 1, 1), (1, 7, 88, 100), (2, 5, 9, 64), (3, 4, 8, 67), (1, 3, 17, 5), (1, 0, 4, 4))


def _drawn(S, N, D, G, dtype=torch.float64):
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(S, N, D, generator=random, dtype=dtype) * (torch.rand(S, N, D, generator=random) < 0.3)
    weight = torch.randn(S, D, G, generator=random, dtype=dtype, requires_grad=True)
    bias = torch.randn(S, G, generator=random, dtype=dtype, requires_grad=True)
    return weight, bias, inputs


def _dense(weight, bias, inputs):
    return inputs @ weight + bias.unsqueeze(1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("dtype", "off"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
def test_it_is_the_product_and_its_gradients_are_those_of_the_product(size, dtype, off):
    leaves = _drawn(*size, dtype)
    out, expected = sparse_affine(*leaves), _dense(*leaves)
    torch.testing.assert_close(out, expected, rtol=off, atol=off)
    towards = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    mine, theirs = (torch.autograd.grad(each, leaves[:2], towards) for each in (out, expected))
    torch.testing.assert_close(mine, theirs, rtol=off, atol=off)


def test_a_member_of_a_stack_gets_the_bits_that_it_gets_alone():
    weight, bias, inputs = _drawn(3, 6, 20, 37, torch.float32)
    together = sparse_affine(weight, bias, inputs)
    for s in range(3):
        assert torch.equal(together[s : s + 1], sparse_affine(weight[s : s + 1], bias[s : s + 1], inputs[s : s + 1]))


def test_inputs_need_not_be_dense_in_memory():
    weight, bias, inputs = _drawn(1, 6, 20, 5)
    strided = inputs.transpose(1, 2).contiguous().transpose(1, 2)
    assert torch.equal(sparse_affine(weight, bias, strided), sparse_affine(weight, bias, inputs))


def test_values_that_are_not_finite_are_passed_on():
    weight, bias, inputs = _drawn(1, 3, 16, 4)
    inputs[0, 0, 3], inputs[0, 1, 5] = torch.nan, torch.inf
    out = sparse_affine(weight, bias, inputs)
    assert out[0, 0].isnan().all()
    assert out[0, 1].isinf().all()
    assert out[0, 2].isfinite().all()


def test_tangents_and_second_derivatives_are_those_of_the_product():
    weight, bias, inputs = _drawn(2, 3, 6, 4)
    function = lambda weight, bias: sparse_affine(weight, bias, inputs)  # noqa: E731
    assert torch.autograd.gradcheck(function, (weight, bias), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, (weight, bias))
    moved = torch.randn_like(weight)
    _, tangent = torch.func.jvp(lambda weight: sparse_affine(weight, bias, inputs), (weight,), (moved,))
    torch.testing.assert_close(tangent, inputs @ moved)
    slope = torch.func.grad(lambda bias: sparse_affine(weight, bias, inputs).square().sum())(bias)
    torch.testing.assert_close(slope, 2 * _dense(weight, bias, inputs).sum(1))


def test_a_core_uses_it_for_data_alone_and_where_the_native_kernel_serves():
    weight, bias, inputs = _drawn(1, 4, 6, 5)
    assert serves(weight, bias, inputs)
    assert not serves(weight, bias, inputs.clone().requires_grad_())
    assert not serves(weight, bias, inputs.float())
    with use_kernel("reference"):
        assert not serves(weight, bias, inputs)
        product = project(weight, bias, inputs.view(1, 2, 2, 6))
    torch.testing.assert_close(project(weight, bias, inputs.view(1, 2, 2, 6)), product)
