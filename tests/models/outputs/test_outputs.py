"""Output models against loops over single notes and symbols: log-likelihood, normalisation, samples."""

import itertools
import math

import pytest
import torch

from models.outputs import OUTPUTS, Bernoulli, ClassSettings, ClassSoftmax, Output, Settings, Softmax
from models.outputs.ais import MONITOR
from models.parameters import Parameters
from tests.models import naive

pytestmark = pytest.mark.usefixtures("coarse_monitor")

WIDTH, HIDDEN = 4, 3
DISCRETE = tuple(output for output in OUTPUTS if not output.answers)
"""Those of which probabilities, not densities, are known."""
EXACT = tuple(output for output in DISCRETE if not output.estimated)
"""Those whose likelihood is a formula; what is asked of the others is in files of their own."""
SETTINGS: dict[type[Output], Settings] = {ClassSoftmax: ClassSettings(2)}
FREQUENCY = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64)
CLASSES = ((1,), (3, 2, 0))
"""Of these frequencies: one symbol comes nearest to a half."""


def _made(output: type[Output], members: int = 1, seed: int = 0) -> tuple[Output, Parameters]:
    model = output(WIDTH, HIDDEN, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(members, model.shapes(), torch.float64)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(seed))
    return model, parameters


def _named(model: Output, parameters: Parameters, frequency: torch.Tensor = FREQUENCY) -> dict[str, torch.Tensor]:
    return parameters.by_name | model.constants(frequency)


def _naive(model: Output, weights: dict[str, torch.Tensor], h: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    if isinstance(model, ClassSoftmax):
        return naive.class_log_likelihood(weights, h, int(step), CLASSES)
    return naive.log_likelihood(weights, h, step)


def _logits(parameters: Parameters, logits: list[float]) -> None:
    member = parameters.member(0)
    member["output_weight"].zero_()
    member["output_bias"].copy_(torch.tensor(logits))


def _states(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, HIDDEN, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


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
    model, parameters = _made(output, members=2)
    states, random = _states(2, 3, 5), torch.Generator().manual_seed(1)
    symbols = torch.randint(0, WIDTH, (2, 3, 5), generator=random)
    data = symbols if model.symbols else torch.randint(0, 2, (2, 3, 5, WIDTH), generator=random).double()
    ours = model.log_likelihood(_named(model, parameters), states, data)
    assert ours.shape == (2, 3, 5)
    for s, t, b in itertools.product(range(2), range(3), range(5)):
        theirs = _naive(model, parameters.member(s), states[s, t, b], data[s, t, b])
        assert ours[s, t, b].item() == pytest.approx(theirs.item(), rel=1e-12)


def test_bernoulli_equals_a_loop_with_the_logarithm_of_the_standard_library():
    model, parameters = _made(Bernoulli)
    logits = [-3.0, -0.5, 0.0, 2.5]
    _logits(parameters, logits)
    for notes in itertools.product((0, 1), repeat=WIDTH):
        expected = math.fsum(
            math.log(1 / (1 + math.exp(-z))) if on else math.log(1 - 1 / (1 + math.exp(-z)))
            for on, z in zip(notes, logits, strict=True)
        )
        data = torch.tensor(notes, dtype=torch.float64).view(1, 1, 1, WIDTH)
        ours = model.log_likelihood(parameters.by_name, _states(1, 1, 1), data)
        assert ours.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("output", EXACT)
def test_probabilities_of_everything_that_can_come_sum_to_one(output):
    model, parameters = _made(output)
    if model.symbols:
        everything = torch.arange(WIDTH)
    else:
        everything = torch.tensor(list(itertools.product((0.0, 1.0), repeat=WIDTH)), dtype=torch.float64)
    states = _states(1, 1, 1).expand(1, 1, len(everything), HIDDEN)
    total = model.log_likelihood(_named(model, parameters), states, everything[None, None]).exp().sum()
    assert total.item() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_is_exact_at_extreme_logits(dtype):
    model = Bernoulli(WIDTH, HIDDEN)
    parameters = Parameters(1, model.shapes(), dtype)
    _logits(parameters, [1000.0, -1000.0, 1000.0, -1000.0])
    states = torch.zeros(1, 1, 2, HIDDEN, dtype=dtype)
    data = torch.tensor([[[[1, 0, 1, 0], [0, 1, 1, 0]]]], dtype=dtype)
    ours = model.log_likelihood(parameters.by_name, states, data)
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
    model, parameters = _made(Bernoulli)
    logits = [-2.0, -0.3, 0.4, 3.0]
    _logits(parameters, logits)
    count = 20_000
    sampled = model.sample(parameters.by_name, _states(1, 4, count // 4), [torch.Generator().manual_seed(5)])
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
    model, parameters = _made(Softmax)
    logits = [-1.5, 0.0, 1.0, 0.5]
    _logits(parameters, logits)
    count = 20_000
    sampled = model.sample(parameters.by_name, _states(1, 4, count // 4), [torch.Generator().manual_seed(6)])
    assert sampled.shape == (1, 4, count // 4)
    total = sum(math.exp(z) for z in logits)
    chi_square = sum(
        (int((sampled == k).sum()) - count * math.exp(z) / total) ** 2 / (count * math.exp(z) / total)
        for k, z in enumerate(logits)
    )
    assert chi_square < 21.1, "1 in 10,000 with three degrees of freedom"


def test_class_softmax_samples_have_their_probabilities():
    model, parameters = _made(ClassSoftmax)
    named, count = _named(model, parameters), 20_000
    states = _states(1, 1, 1).expand(1, 1, count, HIDDEN)
    sampled = model.sample(named, states, [torch.Generator().manual_seed(6)])
    assert sampled.shape == (1, 1, count)
    wanted = [
        count * naive.class_log_likelihood(parameters.member(0), states[0, 0, 0], k, CLASSES).exp().item()
        for k in range(WIDTH)
    ]
    chi_square = sum((int((sampled == k).sum()) - wanted[k]) ** 2 / wanted[k] for k in range(WIDTH))
    assert chi_square < 21.1, "1 in 10,000 with three degrees of freedom"


@pytest.mark.parametrize("output", OUTPUTS)
def test_samples_of_a_member_are_those_that_it_draws_alone(output):
    model, parameters = _made(output, members=3)
    states = _states(3, 2, 5)

    def generators() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(s) for s in range(3)]

    together = model.sample(_named(model, parameters), states, generators())
    for s in range(3):
        alone = {name: value[s : s + 1] for name, value in parameters.by_name.items()} | model.constants(FREQUENCY)
        assert torch.equal(model.sample(alone, states[s : s + 1], generators()[s : s + 1])[0], together[s])


@pytest.mark.parametrize("output", DISCRETE)
def test_samples_follow_the_state_of_their_own_step(output):
    model, parameters = _made(output)
    member = parameters.member(0)
    for name in member:
        member[name].fill_(-1000.0 if name == "output_bias" else 0.0)
    columns = [sum(CLASSES, ()).index(k) if output is ClassSoftmax else k for k in range(3)]
    for k, column in enumerate(columns):
        member["output_weight"][k, column] = 2000.0
        if output is ClassSoftmax:
            member["class_weight"][k, 0 if k in CLASSES[0] else 1] = 2000.0
    unit = torch.randint(0, 3, (1, 6, 4), generator=torch.Generator().manual_seed(3))
    states = torch.nn.functional.one_hot(unit, HIDDEN).double()
    sampled = model.sample(_named(model, parameters), states, [torch.Generator().manual_seed(0)])
    expected = unit if model.symbols else torch.nn.functional.one_hot(unit, WIDTH).double()
    assert torch.equal(sampled, expected)


@pytest.mark.parametrize("output", EXACT)
def test_training_starts_from_the_frequencies(output):
    model = output(WIDTH, 400, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(1, model.shapes(), torch.float64)
    frequency = FREQUENCY
    model.initialise(parameters.member(0), torch.Generator().manual_seed(0), frequency)
    states = torch.zeros(1, 1, WIDTH, 400, dtype=torch.float64)
    if model.symbols:
        data, expected = torch.arange(WIDTH)[None, None], frequency.log()
    else:
        data = torch.eye(WIDTH, dtype=torch.float64)[None, None]
        off = torch.log(1 - frequency)
        expected = frequency.log() + off.sum() - off
    ours = model.log_likelihood(_named(model, parameters), states, data)
    torch.testing.assert_close(ours[0, 0].detach(), expected, rtol=1e-6, atol=1e-6)
    assert abs(parameters.member(0)["output_weight"].std().item() - 0.05) < 0.005


def _data(model: Output, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    random = torch.Generator().manual_seed(1)
    if model.symbols:
        return torch.randint(0, WIDTH, shape, generator=random)
    return torch.randint(0, 2, (*shape, WIDTH), generator=random).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("output", OUTPUTS)
def test_what_comes_out_has_the_shape_and_the_type_of_what_went_in(output, dtype):
    model = output(WIDTH, HIDDEN, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(2, model.shapes(), dtype)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(0))
    states, data = _states(2, 3, 5).to(dtype), _data(model, 2, 3, 5, dtype=dtype)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    cost = model.cost(_named(model, parameters), states, data, generators, model.particles(2, states))
    for values in (model.log_likelihood(_named(model, parameters), states, data), cost):
        assert (values.shape, values.dtype) == ((2, 3, 5), dtype)
    sampled = model.sample(_named(model, parameters), states, generators)
    assert (sampled.shape, sampled.dtype) == (data.shape, data.dtype)
    parameters.differentiate(cost.sum())
    assert parameters.gradient_SP.isfinite().all()
    assert parameters.gradient_SP.any(dim=1).all()


@pytest.mark.parametrize("output", OUTPUTS)
def test_members_of_a_stack_do_not_mix(output):
    model, parameters = _made(output, members=2)
    states, data = _states(2, 1, 3), _data(model, 2, 1, 3)

    def of(members: slice) -> list[torch.Tensor]:
        mine = {name: value[members] for name, value in parameters.by_name.items()} | model.constants(FREQUENCY)
        seeds = range(2)[members]
        arguments = mine, states[members], data[members]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        particles = model.particles(len(seeds), states)
        costs = model.cost(*arguments, generators, particles)
        return [model.log_likelihood(*arguments), costs, model.sample(mine, states[members], generators)]

    together = of(slice(0, 2))
    for s in range(2):
        for alone, all_of_them in zip(of(slice(s, s + 1)), together, strict=True):
            torch.testing.assert_close(alone[0], all_of_them[s])


@pytest.mark.parametrize("output", EXACT)
def test_where_the_likelihood_is_exact_it_is_the_cost_and_has_no_error(output):
    model, parameters = _made(output, members=2)
    states, data = _states(2, 3, 5), _data(model, 2, 3, 5)
    exact = model.log_likelihood(_named(model, parameters), states, data)
    assert torch.equal(model.cost(_named(model, parameters), states, data, []), -exact)
    estimate, error = model.estimate(_named(model, parameters), states, data, MONITOR, [])
    assert torch.equal(estimate, exact)
    assert not error.any()
    assert model.particles(2, states) is None


@pytest.mark.parametrize("output", [Softmax, ClassSoftmax])
def test_right_is_the_most_likely_symbol(output):
    model, parameters = _made(output, members=2)
    named, states = _named(model, parameters), _states(2, 3, 5)
    every = torch.stack([model.log_likelihood(named, states, torch.full((2, 3, 5), k)) for k in range(WIDTH)])
    for k in range(WIDTH):
        right = model.right(named, states, torch.full((2, 3, 5), k))
        assert torch.equal(right, every.argmax(0) == k)


@pytest.mark.parametrize("output", [output for output in DISCRETE if not output.symbols])
def test_of_notes_there_is_no_one_guess(output):
    model, parameters = _made(output)
    assert model.right(_named(model, parameters), _states(1, 1, 2), torch.zeros(1, 1, 2, WIDTH)) is None
