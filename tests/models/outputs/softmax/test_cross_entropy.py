"""Every kernel of the cross-entropy against a float64 softmax under autograd, and its other promises."""

import itertools
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

from models.core import use_kernel
from models.native import library
from models.outputs.softmax import reference
from models.outputs.softmax.cross_entropy import symbol_log_likelihood
from models.outputs.softmax.segments import Segments

needs_native = pytest.mark.skipif(library.reason() is not None, reason=f"no native kernel here: {library.reason()}")
KERNELS = ("reference", pytest.param("native", marks=needs_native))
TOLERANCE = {torch.float32: 3e-6, torch.float64: 1e-13}
# S, N, H, D: ones, less and more than a tile of rows or columns, several blocks of rows, several chunks of columns
SHAPES = (
    *((1, 1, 1, 1), (1, 1, 5, 2), (2, 7, 3, 5), (1, 9, 17, 48), (3, 8, 16, 16), (1, 13, 49, 97)),
    *((1, 300, 20, 50), (2, 23, 7, 1000), (1, 600, 4, 5003)),
)


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    with use_kernel(request.param):
        yield request.param


def _leaves(S: int, N: int, H: int, D: int, dtype: torch.dtype = torch.float64, scale: float = 1.0) -> list[Tensor]:
    random = torch.Generator().manual_seed(S + N + H + D)
    shapes = ((S, N, H), (S, H, D), (S, D))
    made = [torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes]
    made[1] *= scale / H**0.5
    return [x.to(dtype).requires_grad_() for x in made]


def _symbols(S: int, N: int, D: int) -> Tensor:
    return torch.randint(D, (S, N), generator=torch.Generator().manual_seed(N))


def _plain(leaves: list[Tensor], symbols: Tensor) -> Tensor:
    states, weight, bias = leaves
    logits = torch.einsum("snh,shd->snd", states, weight) + bias.unsqueeze(1)
    return logits.log_softmax(-1).gather(-1, symbols.unsqueeze(-1)).squeeze(-1)


def _close(ours: Tensor, theirs: Tensor, what: str) -> None:
    worst = float(((ours.double() - theirs).abs() / theirs.abs().clamp(min=1)).max())
    assert worst < TOLERANCE[ours.dtype] * max(1.0, float(theirs.abs().max()) ** 0.5), f"{what}: {worst}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weights", ["one", "several"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_a_softmax(kernel, shape, weights, dtype):
    S, N, H, D = shape
    exact, symbols = _leaves(*shape, dtype=dtype), _symbols(S, N, D)
    factor = torch.randn(S, 1 if weights == "one" else N, generator=torch.Generator().manual_seed(2)).double()
    ours = symbol_log_likelihood(*exact, symbols)
    leaves = [x.detach().double().requires_grad_() for x in exact]
    theirs = _plain(leaves, symbols)
    _close(ours.detach(), theirs.detach(), "values")
    gradients = torch.autograd.grad((ours * factor.to(dtype)).sum(), exact)
    expected = torch.autograd.grad((theirs * factor).sum(), leaves)
    for name, mine, right in zip(("states", "weight", "bias"), gradients, expected, strict=True):
        assert mine.dtype == dtype
        _close(mine, right, name)


def test_gradients_are_those_of_finite_differences(kernel):
    leaves, symbols = _leaves(2, 5, 3, 7), _symbols(2, 5, 7)
    assert torch.autograd.gradcheck(lambda *x: symbol_log_likelihood(*x, symbols), leaves)
    assert torch.autograd.gradcheck(lambda *x: symbol_log_likelihood(*x, symbols).sum(), leaves)


def test_a_graph_that_is_kept_gives_its_gradients_again(kernel):
    leaves, symbols = _leaves(2, 30, 5, 9), _symbols(2, 30, 9)
    total = symbol_log_likelihood(*leaves, symbols).sum()
    first = [x.clone() for x in torch.autograd.grad(total, leaves, retain_graph=True)]
    for mine, again in zip(first, torch.autograd.grad(3 * total, leaves), strict=True):
        torch.testing.assert_close(3 * mine, again, rtol=1e-12, atol=1e-12)


def test_only_what_is_asked_for(kernel):
    symbols = _symbols(1, 20, 11)
    states, weight, bias = (x.detach() for x in _leaves(1, 20, 4, 11))
    assert not symbol_log_likelihood(states, weight, bias, symbols).requires_grad
    states.requires_grad_()
    with torch.no_grad():
        assert not symbol_log_likelihood(states, weight, bias, symbols).requires_grad
    symbol_log_likelihood(states, weight, bias, symbols).sum().backward()
    expected = torch.autograd.grad(_plain([states, weight, bias], symbols).sum(), states)[0]
    torch.testing.assert_close(states.grad, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_are_exact(kernel, dtype):
    D = 70
    states, weight = torch.zeros(1, 4, 3, dtype=dtype), torch.zeros(1, 3, D, dtype=dtype)
    bias = torch.full((1, D), -1e4, dtype=dtype)
    bias[0, :4] = torch.tensor([1e4, -1e4, 0.0, 1e4])
    bias.requires_grad_()
    ours = symbol_log_likelihood(states, weight, bias, torch.tensor([[0, 1, 2, 3]]))
    expected = torch.tensor([[0.0, -2e4, -1e4, 0.0]], dtype=dtype) - math.log(2)
    torch.testing.assert_close(ours.detach(), expected, rtol=1e-7, atol=0)
    gradient = torch.autograd.grad(ours.sum(), bias)[0]
    assert gradient[0, :5].tolist() == [-1.0, 1.0, 1.0, -1.0, 0.0]


def test_what_is_all_but_sure_keeps_its_digits(kernel):
    """1 - p = 1e-9 is nothing but rounding where it is the difference of float32 numbers."""
    D = 50
    states, weight = torch.zeros(1, 9, 2), torch.zeros(1, 2, D)
    bias = torch.zeros(1, D)
    bias[0, 3] = 25.0
    bias.requires_grad_()
    ours = symbol_log_likelihood(states, weight, bias, torch.full((1, 9), 3))
    expected = -math.log1p((D - 1) * math.exp(-25.0))
    assert ours[0, 0].item() == pytest.approx(expected, rel=1e-6)
    gradient = torch.autograd.grad(ours.sum(), bias)[0]
    assert gradient[0, 3].item() == pytest.approx(-9 * math.expm1(expected), rel=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_passed_on_and_stays_in_its_row(kernel, bad):
    leaves, symbols = _leaves(1, 20, 5, 60), _symbols(1, 20, 60)
    clean = symbol_log_likelihood(*leaves, symbols)
    with torch.no_grad():
        leaves[0][0, 11, 2] = bad
    ours = symbol_log_likelihood(*leaves, symbols)
    assert ours[0, 11].isnan()
    others = torch.arange(20) != 11
    assert torch.equal(ours[0, others], clean[0, others])
    gradients = torch.autograd.grad(ours.sum(), leaves)
    assert gradients[0][0, 11].isnan().all()
    assert gradients[0][0, others].isfinite().all()
    assert gradients[1].isnan().all()


def test_an_impossible_symbol_is_minus_infinity(kernel):
    leaves = [x.detach() for x in _leaves(1, 3, 2, 20)]
    leaves[2][0, 4] = -math.inf
    ours = symbol_log_likelihood(*leaves, torch.tensor([[4, 0, 19]]))
    assert ours[0, 0] == -math.inf
    assert ours[0, 1:].isfinite().all()


@needs_native
@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_differ_by_rounding(shape):
    S, N, _, D = shape
    results = []
    for name in ("reference", "native"):
        with use_kernel(name):
            leaves = _leaves(*shape)
            values = symbol_log_likelihood(*leaves, _symbols(S, N, D))
            results.append([values.detach(), *torch.autograd.grad(values.sum(), leaves)])
    for left, right in zip(*results, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-12, atol=1e-12)


def test_a_member_of_a_stack_gets_the_numbers_it_gets_alone(kernel):
    leaves, symbols = _leaves(3, 21, 13, 77, torch.float32), _symbols(3, 21, 77)
    values = symbol_log_likelihood(*leaves, symbols)
    gradients = torch.autograd.grad(values.sum(), leaves)
    for s in range(3):
        alone = [x.detach()[s : s + 1].clone().requires_grad_() for x in leaves]
        mine = symbol_log_likelihood(*alone, symbols[s : s + 1])
        assert torch.equal(mine[0], values[s])
        for whole, part in zip(gradients, torch.autograd.grad(mine.sum(), alone), strict=True):
            assert torch.equal(part[0], whole[s])


def test_what_is_not_dense_is_read_right(kernel):
    states, weight, bias = _leaves(2, 6, 5, 9)
    symbols = _symbols(2, 6, 9)
    spread = [x.detach().transpose(-1, -2).contiguous().transpose(-1, -2) for x in (states, weight)]
    ours = symbol_log_likelihood(*spread, bias, symbols.to(torch.int32))
    torch.testing.assert_close(ours, _plain([states, weight, bias], symbols), rtol=1e-12, atol=1e-12)


def test_segments_choose_among_their_own_columns(kernel):
    """Two members that cut their states otherwise; a segment without states, and one of a single symbol."""
    columns, rows = (0, 1, 20, 21, 90), ((0, 4, 9, 9, 40), (0, 0, 1, 30, 40))
    leaves, symbols = _leaves(2, 40, 6, 90), torch.zeros(2, 40, dtype=torch.long)
    pieces = []
    for s, ((start, end), (first, last)) in itertools.product(
        range(2), zip(itertools.pairwise(range(5)), itertools.pairwise(columns), strict=True)
    ):
        start, end = rows[s][start], rows[s][end]
        symbols[s, start:end] = first + torch.arange(end - start) % (last - first)
        part = [leaves[0][s : s + 1, start:end], leaves[1][s : s + 1, :, first:last], leaves[2][s : s + 1, first:last]]
        pieces.append(_plain(part, symbols[s : s + 1, start:end] - first).squeeze(0))
    theirs = torch.cat(pieces).view(2, 40)
    ours = symbol_log_likelihood(*leaves, symbols, Segments(rows, columns))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    factor = torch.randn(2, 40, dtype=torch.float64)
    for weights in (torch.ones_like(factor), factor):
        mine = torch.autograd.grad((ours * weights).sum(), leaves, retain_graph=True)
        right = torch.autograd.grad((theirs * weights).sum(), leaves, retain_graph=True)
        for left, other in zip(mine, right, strict=True):
            torch.testing.assert_close(left, other, rtol=1e-12, atol=1e-12)


def test_segments_of_classes():
    class_SN = torch.tensor([[2, 0, 2, 0], [1, 1, 1, 1]])
    found = Segments.of_classes(class_SN, (0, 3, 5, 9))
    assert found == Segments(((0, 2, 2, 4), (0, 0, 4, 4)), (0, 3, 5, 9))
    assert found.member(1) == Segments(((0, 0, 4, 4),), (0, 3, 5, 9))
    assert not found.is_whole
    assert Segments.whole(2, 4, 9) == Segments(((0, 4), (0, 4)), (0, 9))
    assert Segments.whole(2, 4, 9).is_whole


class _Largest(TorchDispatchMode):
    """The most numbers that a result of an operation has."""

    numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        if isinstance(result, Tensor):
            self.numbers = max(self.numbers, result.numel())
        return result


def test_the_reference_never_holds_all_logits():
    N, D = 5000, 1000
    leaves, symbols = _leaves(1, N, 2, D, torch.float32), _symbols(1, N, D)
    with use_kernel("reference"), _Largest() as largest:
        symbol_log_likelihood(*leaves, symbols).sum().backward()
    assert 0 < largest.numbers <= reference._BLOCK["cpu"] < N * D


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_tangents_and_second_derivatives_are_refused(kernel):
    leaves, symbols = _leaves(1, 4, 3, 5), _symbols(1, 4, 5)
    with forward_ad.dual_level():
        for i in range(3):
            moved = [x.detach() for x in leaves]
            moved[i] = forward_ad.make_dual(moved[i], torch.ones_like(moved[i]))
            with pytest.raises(
                RuntimeError, match="^symbol_log_likelihood: has no tangent; differentiate it backward$"
            ):
                symbol_log_likelihood(*moved, symbols)
    for power in (1, 2):
        total = symbol_log_likelihood(*leaves, symbols).pow(power).sum()
        first = torch.autograd.grad(total, leaves, create_graph=True)
        with pytest.raises(RuntimeError, match="^symbol_log_likelihood: differentiable once; this asks"):
            torch.autograd.grad(first[1].sum(), leaves, allow_unused=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({3: torch.zeros(1, 4)}, "symbols: wants integers, as a text has, got torch.float32: notes have no vocabulary"),
        ({3: torch.tensor([[0, 1, 5, 2]])}, "symbols: wants numbers from 0 to 4, got 0 to 5"),
        ({3: torch.tensor([[0, -1, 4, 2]])}, "symbols: wants numbers from 0 to 4, got -1 to 4"),
        ({3: torch.zeros(1, 3, dtype=torch.long)}, r"symbols: wants shape (1, 4) to go with states, got (1, 3)"),
        ({0: torch.zeros(4, 3)}, r"states: wants shape (S, N, H), got (4, 3)"),
        ({1: torch.zeros(1, 2, 5)}, r"weight: wants shape (1, 3, 5) to go with states, got (1, 2, 5)"),
        ({1: torch.zeros(1, 3, 5).double()}, "weight: wants torch.float32 like states, got torch.float64"),
        ({2: torch.zeros(2, 5)}, r"bias: wants shape (1, 5) to go with states, got (2, 5)"),
    ],
)
def test_mistakes_are_told_in_one_line(changes, message):
    arguments = [torch.zeros(1, 4, 3), torch.zeros(1, 3, 5), torch.zeros(1, 5), torch.zeros(1, 4, dtype=torch.long)]
    for index, value in changes.items():
        arguments[index] = value
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # compared whole below
        symbol_log_likelihood(*arguments)
    assert str(caught.value) == message


@needs_native
def test_the_native_kernel_refuses_a_symbol_of_another_segment():
    leaves = [x.detach() for x in _leaves(1, 4, 3, 6)]
    with use_kernel("native"), pytest.raises(ValueError, match="^symbols: one is none of those"):
        symbol_log_likelihood(*leaves, torch.tensor([[0, 1, 2, 4]]), Segments(((0, 3, 4),), (0, 2, 6)))


def _results() -> list[Tensor]:
    leaves = _leaves(2, 300, 40, 3001, torch.float32)
    values = symbol_log_likelihood(*leaves, _symbols(2, 300, 3001))
    return [values.detach(), *torch.autograd.grad(values.sum(), leaves)]


@needs_native
def test_the_numbers_do_not_depend_on_the_threads():
    with use_kernel("native"):
        alone = _results()
        try:
            for threads in (2, 5):
                torch.set_num_threads(threads)
                assert all(map(torch.equal, alone, _results()))
        finally:
            torch.set_num_threads(1)
