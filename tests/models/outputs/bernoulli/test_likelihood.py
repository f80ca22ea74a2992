import pytest
import torch
from torch.distributions import Bernoulli

from models.core import use_kernel
from models.native import library
from models.outputs.bernoulli.likelihood import bernoulli_log_likelihood

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
COMPILED = pytest.mark.skipif(library.reason() is not None, reason="not compiled")
KERNELS = ("reference", pytest.param("native", marks=COMPILED))


@pytest.fixture(params=KERNELS)
def kernel(request):
    with use_kernel(request.param):
        yield request.param


def _drawn(width, dtype=torch.float64):
    random = torch.Generator().manual_seed(width)
    logits = torch.randn(2, 3, 2, width, generator=random, dtype=torch.float64) * 10
    data = (torch.rand(2, 3, 2, width, generator=random) < 0.3).to(dtype)
    return logits.to(dtype).requires_grad_(), data


@pytest.mark.parametrize("width", [1, 7, 8, 9, 15, 16, 17, 40, 88])
@pytest.mark.parametrize(("dtype", "off"), [(torch.float64, 3e-8), (torch.float32, 3e-6)])
@pytest.mark.usefixtures("kernel")
def test_values_and_slopes_are_those_of_the_distribution(width, dtype, off):
    logits, data = _drawn(width, dtype)
    values = bernoulli_log_likelihood(logits, data)
    exact = logits.detach().double().requires_grad_()
    expected = Bernoulli(logits=exact).log_prob(data.double()).sum(-1)
    torch.testing.assert_close(values.double(), expected, rtol=off, atol=off)
    towards = torch.arange(1.0, 13, dtype=dtype).view(2, 3, 2)
    (mine,) = torch.autograd.grad(values, logits, towards)
    (theirs,) = torch.autograd.grad(expected, exact, towards.double())
    torch.testing.assert_close(mine.double(), theirs, rtol=off, atol=off)


@pytest.mark.usefixtures("kernel")
def test_huge_logits_cost_what_they_are_and_nothing_is_hidden():
    logits = torch.tensor([[[[1000.0, -1000.0], [1000.0, -1000.0], [torch.nan, 0.0], [torch.inf, 0.0]]]])
    data = torch.tensor([[[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]]])
    right, wrong, nan, infinite = bernoulli_log_likelihood(logits, data)[0, 0].tolist()
    assert right == 0
    assert wrong == -2000
    assert nan != nan
    assert infinite != infinite  # infinity less infinity


@pytest.mark.usefixtures("kernel")
def test_second_derivatives_and_tangents_are_right():
    logits, data = _drawn(5)
    small = (logits / 10).detach().requires_grad_()
    function = lambda logits: bernoulli_log_likelihood(logits, data)  # noqa: E731
    assert torch.autograd.gradcheck(function, small, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(function, small)
    gradient = torch.func.grad(lambda logits: function(logits).sum())
    moved = torch.ones_like(small)
    _, curved = torch.func.jvp(gradient, (small.detach(),), (moved,))
    p = torch.sigmoid(small.detach())
    torch.testing.assert_close(curved, -p * (1 - p))


@COMPILED
def test_forward_mode_over_backward_is_right_too():
    logits, data = _drawn(5)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(logits.detach().requires_grad_(), torch.ones_like(logits))
        (gradient,) = torch.autograd.grad(bernoulli_log_likelihood(dual, data).sum(), dual)
        curved = torch.autograd.forward_ad.unpack_dual(gradient).tangent
    p = torch.sigmoid(logits.detach())
    torch.testing.assert_close(curved, -p * (1 - p))


@COMPILED
def test_kernels_agree_to_rounding():
    logits, data = _drawn(88, torch.float32)
    with use_kernel("reference"):
        expected = bernoulli_log_likelihood(logits, data)
    torch.testing.assert_close(bernoulli_log_likelihood(logits, data), expected, rtol=1e-6, atol=1e-6)
