"""Our output models against loops over single notes and symbols: log-likelihood, samples, where training starts."""

import itertools
import math

import pytest
import torch

from models.outputs import OUTPUTS, Bernoulli, ClassSoftmax, Output, Softmax
from models.parameters import Parameters
from tests.models import naive
from tests.models.outputs.made import FREQUENCY, HIDDEN, SETTINGS, WIDTH, made, named, states

pytestmark = pytest.mark.usefixtures("coarse_monitor")

DISCRETE = tuple(output for output in OUTPUTS if not output.predicts_last_value)
"""Those of which probabilities, not densities, are known."""
EXACT = tuple(output for output in DISCRETE if not output.estimated)
"""Those whose likelihood is a formula; what is asked of the others is in files of their own."""
CLASSES = ((1,), (3, 2, 0))
"""Of these frequencies: one symbol comes nearest to a half."""


def _naive(model: Output, weights: dict[str, torch.Tensor], h: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    if isinstance(model, ClassSoftmax):
        return naive.class_log_likelihood(weights, h, int(step), CLASSES)
    return naive.log_likelihood(weights, h, step)


def _logits(parameters: Parameters, logits: list[float]) -> None:
    member = parameters.member(0)
    member["output_weight"].zero_()
    member["output_bias"].copy_(torch.tensor(logits))


def test_names_are_what_variants_call_them():
    assert [(output.name, output.symbols) for output in OUTPUTS] == [
        ("bernoulli", False),
        ("softmax", True),
        ("nade", False),
        ("rbm", False),
        ("classes", True),
        ("gaussian", False),
    ]


@pytest.mark.parametrize("output", EXACT)
def test_log_likelihood_equals_a_loop(output):
    model, parameters = made(output, members=2)
    h, random = states(2, 3, 5), torch.Generator().manual_seed(1)
    symbols = torch.randint(0, WIDTH, (2, 3, 5), generator=random)
    data = symbols if model.symbols else torch.randint(0, 2, (2, 3, 5, WIDTH), generator=random).double()
    ours = model.log_likelihood(named(model, parameters), h, data)
    assert ours.shape == (2, 3, 5)
    for s, t, b in itertools.product(range(2), range(3), range(5)):
        theirs = _naive(model, parameters.member(s), h[s, t, b], data[s, t, b])
        assert ours[s, t, b].item() == pytest.approx(theirs.item(), rel=1e-12)


def test_bernoulli_equals_a_loop_with_the_logarithm_of_the_standard_library():
    model, parameters = made(Bernoulli)
    logits = [-3.0, -0.5, 0.0, 2.5]
    _logits(parameters, logits)
    for notes in itertools.product((0, 1), repeat=WIDTH):
        expected = math.fsum(
            math.log(1 / (1 + math.exp(-z))) if on else math.log(1 - 1 / (1 + math.exp(-z)))
            for on, z in zip(notes, logits, strict=True)
        )
        data = torch.tensor(notes, dtype=torch.float64).view(1, 1, 1, WIDTH)
        ours = model.log_likelihood(parameters.by_name, states(1, 1, 1), data)
        assert ours.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_is_exact_at_extreme_logits(dtype):
    model = Bernoulli(WIDTH, HIDDEN)
    parameters = Parameters(1, model.shapes(), dtype)
    _logits(parameters, [1000.0, -1000.0, 1000.0, -1000.0])
    h = torch.zeros(1, 1, 2, HIDDEN, dtype=dtype)
    data = torch.tensor([[[[1, 0, 1, 0], [0, 1, 1, 0]]]], dtype=dtype)
    ours = model.log_likelihood(parameters.by_name, h, data)
    assert ours.tolist() == [[[0.0, -2000.0]]]
    ours.sum().backward()
    assert parameters.by_name["output_bias"].grad.tolist() == [[-1.0, 1.0, 0.0, 0.0]]


def test_softmax_is_exact_at_extreme_logits():
    model = Softmax(WIDTH, HIDDEN)
    parameters = Parameters(1, model.shapes())
    _logits(parameters, [1000.0, -1000.0, 0.0, 1000.0])
    ours = model.log_likelihood(parameters.by_name, torch.zeros(1, 1, 4, HIDDEN), torch.tensor([[[0, 1, 2, 3]]]))
    expected = torch.tensor([[[0.0, -2000, -1000, 0]]]) - math.log(2)
    torch.testing.assert_close(ours, expected)


def test_bernoulli_samples_have_their_probabilities():
    model, parameters = made(Bernoulli)
    logits = [-2.0, -0.3, 0.4, 3.0]
    _logits(parameters, logits)
    count = 20_000
    sampled = model.sample(parameters.by_name, states(1, 4, count // 4), [torch.Generator().manual_seed(5)])
    assert sampled.shape == (1, 4, count // 4, WIDTH)
    assert set(sampled.unique().tolist()) == {0.0, 1.0}
    flat = sampled.view(count, WIDTH)
    for share, z in zip(flat.mean(0).tolist(), logits, strict=True):
        p = 1 / (1 + math.exp(-z))
        assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / count)
    # Notes of a frame, and frames, are drawn on their own.
    correlation = torch.corrcoef(torch.cat([flat[1:], flat[:-1]], dim=1).T)
    assert (correlation - torch.eye(2 * WIDTH, dtype=torch.float64)).abs().max() < 5 / math.sqrt(count)


def test_softmax_samples_have_their_probabilities():
    model, parameters = made(Softmax)
    logits = [-1.5, 0.0, 1.0, 0.5]
    _logits(parameters, logits)
    count = 20_000
    sampled = model.sample(parameters.by_name, states(1, 4, count // 4), [torch.Generator().manual_seed(6)])
    assert sampled.shape == (1, 4, count // 4)
    total = sum(math.exp(z) for z in logits)
    chi_square = sum(
        (int((sampled == k).sum()) - count * math.exp(z) / total) ** 2 / (count * math.exp(z) / total)
        for k, z in enumerate(logits)
    )
    assert chi_square < 21.1, "1 in 10,000 with three degrees of freedom"


def test_class_softmax_samples_have_their_probabilities():
    model, parameters = made(ClassSoftmax)
    parts, count = named(model, parameters), 20_000
    h = states(1, 1, 1).expand(1, 1, count, HIDDEN)
    sampled = model.sample(parts, h, [torch.Generator().manual_seed(6)])
    assert sampled.shape == (1, 1, count)
    wanted = [
        count * naive.class_log_likelihood(parameters.member(0), h[0, 0, 0], k, CLASSES).exp().item()
        for k in range(WIDTH)
    ]
    chi_square = sum((int((sampled == k).sum()) - wanted[k]) ** 2 / wanted[k] for k in range(WIDTH))
    assert chi_square < 21.1, "1 in 10,000 with three degrees of freedom"


@pytest.mark.parametrize("output", DISCRETE)
def test_samples_follow_the_state_of_their_own_step(output):
    model, parameters = made(output)
    member = parameters.member(0)
    for name in member:
        member[name].fill_(-1000.0 if name == "output_bias" else 0.0)
    columns = [sum(CLASSES, ()).index(k) if output is ClassSoftmax else k for k in range(3)]
    for k, column in enumerate(columns):
        member["output_weight"][k, column] = 2000.0
        if output is ClassSoftmax:
            member["class_weight"][k, 0 if k in CLASSES[0] else 1] = 2000.0
    unit = torch.randint(0, 3, (1, 6, 4), generator=torch.Generator().manual_seed(3))
    h = torch.nn.functional.one_hot(unit, HIDDEN).double()
    sampled = model.sample(named(model, parameters), h, [torch.Generator().manual_seed(0)])
    expected = unit if model.symbols else torch.nn.functional.one_hot(unit, WIDTH).double()
    assert torch.equal(sampled, expected)


@pytest.mark.parametrize("output", EXACT)
def test_training_starts_from_the_frequencies(output):
    model = output(WIDTH, 400, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(1, model.shapes(), torch.float64)
    frequency = FREQUENCY
    model.initialise(parameters.member(0), torch.Generator().manual_seed(0), frequency)
    h = torch.zeros(1, 1, WIDTH, 400, dtype=torch.float64)
    if model.symbols:
        data, expected = torch.arange(WIDTH)[None, None], frequency.log()
    else:
        data = torch.eye(WIDTH, dtype=torch.float64)[None, None]
        off = torch.log(1 - frequency)
        expected = frequency.log() + off.sum() - off
    ours = model.log_likelihood(named(model, parameters), h, data)
    torch.testing.assert_close(ours[0, 0].detach(), expected, rtol=1e-6, atol=1e-6)
    assert abs(parameters.member(0)["output_weight"].std().item() - 0.05) < 0.005


@pytest.mark.parametrize("output", [Softmax, ClassSoftmax])
def test_right_is_the_most_likely_symbol(output):
    model, parameters = made(output, members=2)
    parts, h = named(model, parameters), states(2, 3, 5)
    every = torch.stack([model.log_likelihood(parts, h, torch.full((2, 3, 5), k)) for k in range(WIDTH)])
    for k in range(WIDTH):
        right = model.right(parts, h, torch.full((2, 3, 5), k))
        assert torch.equal(right, every.argmax(0) == k)
