"""What every output model promises, whoever wrote it: one suite over ours and those of installed packages."""

import itertools
import json
from dataclasses import asdict, dataclass

import pytest
import torch

from models.outputs import Settings
from models.outputs.effort import MONITOR
from models.parameters import Parameters
from models.randomness import Draws
from models.variants import BY_OUTPUT
from tests.models.outputs.made import FREQUENCY, HIDDEN, SETTINGS, WIDTH, data, made, named, states

pytestmark = pytest.mark.usefixtures("coarse_monitor")

OUTPUTS = tuple(BY_OUTPUT.values())
EXACT = tuple(output for output in OUTPUTS if not output.estimated)
COUNTED = tuple(output for output in EXACT if not output.predicts_last_value)
"""Those of which all that can come can be counted, and each has a probability that is a formula."""
every_output = pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
exact = pytest.mark.parametrize("output", EXACT, ids=lambda output: output.name)
counted = pytest.mark.parametrize("output", COUNTED, ids=lambda output: output.name)


def _everything(symbols: bool) -> torch.Tensor:
    """All that can come, one lane each."""
    if symbols:
        return torch.arange(WIDTH)[None, None]
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=WIDTH)), dtype=torch.float64)[None, None]


def test_names_can_stand_in_the_name_of_a_variant():
    assert list(BY_OUTPUT)[:6] == ["bernoulli", "softmax", "nade", "rbm", "classes", "gaussian"]
    assert all("+" not in name and "/" not in name for name in BY_OUTPUT)


@every_output
def test_draws_repeat_and_settings_go_through_json(output):
    settings = output.settings_type.draw(Draws(0, "a"), "words" if output.symbols else "music")
    assert settings == output.settings_type.draw(Draws(0, "a"), "words" if output.symbols else "music")
    assert output.settings_type(**json.loads(json.dumps(asdict(settings)))) == settings


@dataclass(frozen=True)
class _Others(Settings):
    units: int = 3


@every_output
def test_its_settings_are_of_its_own_type_and_no_others_are_taken(output):
    assert type(output.settings) is output.settings_type
    with pytest.raises(ValueError, match=f"^output_settings: wants {output.settings_type.__qualname__} for "):
        output(WIDTH, HIDDEN, _Others())


@counted
def test_probabilities_of_everything_that_can_come_sum_to_one(output):
    model, parameters = made(output)
    everything = _everything(model.symbols)
    h = states(1, 1, 1).expand(1, 1, everything.shape[2], HIDDEN)
    total = model.log_likelihood(named(model, parameters), h, everything).exp().sum()
    assert total.item() == pytest.approx(1, rel=1e-12)


@counted
def test_samples_have_their_probabilities(output):
    model, parameters = made(output)
    everything, count = _everything(model.symbols), 20_000
    h = states(1, 1, 1)
    p = model.log_likelihood(named(model, parameters), h.expand(1, 1, everything.shape[2], HIDDEN), everything).exp()
    sampled = model.sample(named(model, parameters), h.expand(1, 1, count, HIDDEN), [torch.Generator().manual_seed(5)])
    places = sampled if model.symbols else (sampled @ (2.0 ** torch.arange(WIDTH - 1, -1, -1).double())).long()
    seen = torch.bincount(places.flatten(), minlength=everything.shape[2])
    expected = count * p.flatten().detach()
    common = expected > 5
    chi_square = ((seen - expected) ** 2 / expected)[common].sum().item()
    assert chi_square < 50.5, "1 in 100,000 with 15 degrees of freedom, of fewer less"
    assert seen[~common].sum() <= 5 * (expected[~common].sum() + 3)


@every_output
def test_samples_of_a_member_are_those_that_it_draws_alone(output):
    model, parameters = made(output, members=3)
    h = states(3, 2, 5)

    def generators() -> list[torch.Generator]:
        return [torch.Generator().manual_seed(s) for s in range(3)]

    together = model.sample(named(model, parameters), h, generators())
    for s in range(3):
        alone = {name: value[s : s + 1] for name, value in parameters.by_name.items()} | model.constants(FREQUENCY)
        assert torch.equal(model.sample(alone, h[s : s + 1], generators()[s : s + 1])[0], together[s])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@every_output
def test_what_comes_out_has_the_shape_and_the_type_of_what_went_in(output, dtype):
    model = output(WIDTH, HIDDEN, SETTINGS.get(output, output.settings_type()))
    parameters = Parameters(2, model.shapes(), dtype)
    parameters.theta_SP.normal_(generator=torch.Generator().manual_seed(0))
    h, came = states(2, 3, 5).to(dtype), data(model, 2, 3, 5, dtype=dtype)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    cost = model.cost(named(model, parameters), h, came, generators, model.particles(2, h))
    for values in (model.log_likelihood(named(model, parameters), h, came), cost):
        assert (values.shape, values.dtype) == ((2, 3, 5), dtype)
    sampled = model.sample(named(model, parameters), h, generators)
    assert (sampled.shape, sampled.dtype) == (came.shape, came.dtype)
    parameters.differentiate(cost.sum())
    assert parameters.gradient_SP.isfinite().all()
    assert parameters.gradient_SP.any(dim=1).all()


@every_output
def test_members_of_a_stack_do_not_mix(output):
    model, parameters = made(output, members=2)
    h, came = states(2, 1, 3), data(model, 2, 1, 3)

    def of(members: slice) -> list[torch.Tensor]:
        mine = {name: value[members] for name, value in parameters.by_name.items()} | model.constants(FREQUENCY)
        seeds = range(2)[members]
        arguments = mine, h[members], came[members]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        particles = model.particles(len(seeds), h)
        costs = model.cost(*arguments, generators, particles)
        return [model.log_likelihood(*arguments), costs, model.sample(mine, h[members], generators)]

    together = of(slice(0, 2))
    for s in range(2):
        for alone, all_of_them in zip(of(slice(s, s + 1)), together, strict=True):
            torch.testing.assert_close(alone[0], all_of_them[s])


@every_output
def test_initial_values_are_given_to_all_and_follow_the_generator(output):
    model = output(WIDTH, HIDDEN, SETTINGS.get(output, output.settings_type()))
    first, again, other = (Parameters(1, model.shapes()) for _ in range(3))
    for fresh, seed in ((first, 0), (again, 0), (other, 1)):
        fresh.theta_SP.fill_(7.0)
        model.initialise(fresh.member(0), torch.Generator().manual_seed(seed), FREQUENCY.float())
    assert not (first.theta_SP == 7.0).any()
    assert torch.equal(first.theta_SP, again.theta_SP)
    assert not torch.equal(first.theta_SP, other.theta_SP)


@exact
def test_where_the_likelihood_is_exact_it_is_the_cost_and_has_no_error(output):
    model, parameters = made(output, members=2)
    h, came = states(2, 3, 5), data(model, 2, 3, 5)
    likelihood = model.log_likelihood(named(model, parameters), h, came)
    assert torch.equal(model.cost(named(model, parameters), h, came, []), -likelihood)
    estimate, error = model.estimate(named(model, parameters), h, came, MONITOR, [])
    assert torch.equal(estimate, likelihood)
    assert not error.any()
    assert model.particles(2, h) is None


@pytest.mark.parametrize(
    "output", [output for output in OUTPUTS if not output.symbols and not output.predicts_last_value]
)
def test_of_notes_there_is_no_one_guess(output):
    model, parameters = made(output)
    assert model.right(named(model, parameters), states(1, 1, 2), torch.zeros(1, 1, 2, WIDTH)) is None
