"""The RBM with biases from a state: parts against enumeration, gradient against that of the exact likelihood."""

import pytest
import torch

from models.data_kinds import Kind
from models.outputs import RBM, Settings
from models.outputs.effort import MONITOR, Effort
from models.outputs.rbm.machine import Machines
from models.outputs.rbm.rbm import PARTICLES, RBMSettings
from models.parameters import Parameters
from models.randomness import Draws
from tests.models.outputs import machines as small

WIDTH, HIDDEN, UNITS = 5, 3, 4


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _made(
    members: int = 1, dtype: torch.dtype = torch.float64, **settings: int | str
) -> tuple[RBM, Parameters, torch.Tensor, torch.Tensor]:
    """A model, parameters, states (S, 2, 3, H) and frames (S, 2, 3, D), all at random."""
    model = RBM(WIDTH, HIDDEN, RBMSettings(**{"units": UNITS, **settings}))
    parameters = Parameters(members, model.shapes(), dtype)
    random = _generators(0)[0]
    parameters.theta_SP.normal_(generator=random)
    states = torch.randn(members, 2, 3, HIDDEN, generator=random, dtype=dtype)
    data = (torch.rand(members, 2, 3, WIDTH, generator=random) < 0.4).to(dtype)
    return model, parameters, states, data


def _exact(machines: Machines, notes_SND: torch.Tensor) -> torch.Tensor:
    """log P(v) by enumeration, differentiable, (S, N)."""
    place = (notes_SND @ (2.0 ** torch.arange(WIDTH - 1, -1, -1, dtype=notes_SND.dtype))).long()
    S, N, _ = notes_SND.shape
    rows = []
    for s in range(S):
        joints = [small.log_joint(machines, s, n) for n in range(N)]
        rows.append(torch.stack([j[place[s, n]].logsumexp(0) - j.flatten().logsumexp(0) for n, j in enumerate(joints)]))
    return torch.stack(rows)


def test_biases_follow_the_state():
    model, parameters, states, _ = _made(members=2)
    machines = model.machines(parameters.by_name, states)
    for s in range(2):
        p = parameters.member(s)
        for n, state in enumerate(states[s].flatten(0, 1)):
            torch.testing.assert_close(machines.visible_SND[s, n], p["output_bias"] + state @ p["output_weight"])
            torch.testing.assert_close(machines.hidden_SNU[s, n], p["units_bias"] + state @ p["units_weight"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_estimates_are_of_the_likelihood_by_enumeration(dtype):
    model, parameters, states, data = _made(members=2, dtype=dtype)
    exact = _exact(model.machines(parameters.by_name, states), data.flatten(1, 2)).view(2, 2, 3)
    estimate, error = model.estimate(parameters.by_name, states, data, Effort(200, 200), _generators(1, 2))
    assert estimate.shape == error.shape == (2, 2, 3)
    assert ((estimate - exact).abs() < 5 * error + 1e-5).all()
    quick = model.log_likelihood(parameters.by_name, states, data)
    assert quick.dtype == dtype
    assert ((quick - exact).abs() < 0.3).all()


def test_the_quick_estimate_is_the_same_for_everyone_and_every_time():
    model, parameters, states, data = _made(members=2)
    first, second = (model.log_likelihood(parameters.by_name, states, data) for _ in range(2))
    assert torch.equal(first, second)
    member = {name: value[1:] for name, value in parameters.by_name.items()}
    torch.testing.assert_close(model.log_likelihood(member, states[1:], data[1:]), first[1:])


def test_an_estimate_has_no_gradient_that_could_be_taken_for_one():
    model, parameters, states, data = _made()
    assert not model.log_likelihood(parameters.by_name, states, data).requires_grad
    assert not model.estimate(parameters.by_name, states, data, MONITOR, _generators(1))[0].requires_grad


def test_the_cost_is_a_difference_of_free_energies_with_the_end_of_the_chain_held():
    model, parameters, states, data = _made(members=2, cd_steps=3)
    ours = model.cost(parameters.by_name, states, data, _generators(1, 2))
    assert ours.shape == (2, 2, 3)
    machines, notes = model.machines(parameters.by_name, states), data.flatten(1, 2)
    end = machines.gibbs(notes, 3, _generators(1, 2))
    expected = machines.free_energy(notes) - machines.free_energy(end)
    torch.testing.assert_close(ours, expected.view(2, 2, 3))
    assert (end != notes).any()


def test_gradients_of_the_cost_pass_the_biases_into_the_state():
    """Finite differences with the end of the chain where it was, which it stays under changes so small."""
    model, parameters, states, data = _made(members=2, cd_steps=2)
    names = list(parameters.by_name)

    def cost(states: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return model.cost(dict(zip(names, values, strict=True)), states, data, _generators(1, 2))

    inputs = (
        states.requires_grad_(),
        *(value.detach().clone().requires_grad_() for value in parameters.by_name.values()),
    )
    assert torch.autograd.gradcheck(cost, inputs)


def test_with_chains_that_end_in_the_model_the_gradient_is_that_of_the_likelihood():
    """Long chains, many of each frame: their mean gradient against that of -log P by enumeration."""
    model, parameters, states, data = _made(cd_steps=60)
    parameters.theta_SP.mul_(0.5)
    repeats, batches = 300, 40
    parameters.differentiate(-_exact(model.machines(parameters.by_name, states), data.flatten(1, 2)).mean())
    exact = parameters.gradient_SP[0].clone()
    many_states, many_data = (x.repeat(1, 1, repeats, 1) for x in (states, data))
    generators, drawn = _generators(5), []
    for _ in range(batches):
        parameters.differentiate(model.cost(parameters.by_name, many_states, many_data, generators).mean())
        drawn.append(parameters.gradient_SP[0].clone())
    found = torch.stack(drawn)
    error = found.std(0) / batches**0.5
    # 5 standard errors, for some forty parameters; errors from 40 draws have heavier tails than the normal.
    assert ((found.mean(0) - exact).abs() < 5 * error + 1e-9).all()
    assert (error < 0.2 * exact.abs().max()).all(), "else the test would see nothing"


def test_particles_are_a_queue_and_only_where_chains_are_persistent():
    like = torch.zeros(1)
    assert _made()[0].particles(2, like) is None
    model, parameters, states, data = _made(members=2, chain="persistent", cd_steps=2)
    particles = model.particles(2, states)
    assert particles.shape == (2, PARTICLES, WIDTH)
    assert (particles.dtype, particles.any().item()) == (states.dtype, False)
    particles.copy_((torch.rand(particles.shape, generator=_generators(3)[0]) < 0.5).double())
    before = particles.clone()
    model.cost(parameters.by_name, states, data, _generators(1, 2), particles)
    machines = model.machines(parameters.by_name, states)
    end = machines.gibbs(before[:, :6], 2, _generators(1, 2))
    assert torch.equal(particles, torch.cat([before[:, 6:], end], dim=1))


def test_more_frames_than_particles_take_them_in_turn():
    model, parameters, _, _ = _made(chain="persistent", cd_steps=1)
    count = 2 * PARTICLES + 7
    states = torch.randn(1, 1, count, HIDDEN, dtype=torch.float64, generator=_generators(1)[0])
    particles = (torch.rand(1, PARTICLES, WIDTH, generator=_generators(2)[0]) < 0.5).double()
    start = torch.cat([particles, particles, particles[:, :7]], dim=1)
    model.cost(parameters.by_name, states, torch.zeros(1, 1, count, WIDTH).double(), _generators(3), particles)
    end = model.machines(parameters.by_name, states).gibbs(start, 1, _generators(3))
    assert torch.equal(particles, end[:, -PARTICLES:])


def test_samples_have_the_probabilities_of_the_model():
    model, parameters, states, _ = _made()
    parameters.theta_SP.mul_(0.5)
    one, count = states[:, :1, :1], 30_000
    model_D = small.log_joint(model.machines(parameters.by_name, one), 0, 0).logsumexp(1).softmax(0)
    drawn = model.sample(parameters.by_name, one.expand(1, 3, count // 3, HIDDEN), _generators(4))
    assert drawn.shape == (1, 3, count // 3, WIDTH)
    place = (drawn.view(count, WIDTH) @ torch.tensor([16.0, 8, 4, 2, 1], dtype=torch.float64)).long()
    wanted = count * model_D
    chi_square = ((torch.bincount(place, minlength=32) - wanted) ** 2 / wanted).sum()
    assert chi_square < 72.0, "1 in 25,000 with 31 degrees of freedom"


def test_training_starts_from_the_frequencies_but_for_the_couplings():
    model = RBM(4, 400, RBMSettings(units=100))
    parameters = Parameters(1, model.shapes(), torch.float64)
    frequency = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    model.initialise(parameters.member(0), _generators(0)[0], frequency)
    member = parameters.member(0)
    assert abs(member["coupling"].std().item() - 0.1) < 0.015
    for name in ("output_weight", "units_weight"):
        assert abs(member[name].std().item() - 0.05) < 0.005
    assert not member["units_bias"].any()
    member["coupling"].zero_()
    notes = torch.eye(4, dtype=torch.float64)[None, None]
    ours = model.log_likelihood(parameters.by_name, torch.zeros(1, 1, 4, 400).double(), notes)
    off = torch.log(1 - frequency)
    torch.testing.assert_close(ours[0, 0], frequency.log() + off.sum() - off)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 0}, "units wants an integer from 1, got 0"),
        ({"units": 2.0}, "units wants an integer from 1, got 2.0"),
        ({"cd_steps": 0}, "cd_steps wants an integer from 1, got 0"),
        ({"cd_steps": True}, "cd_steps wants an integer from 1, got True"),
        ({"chain": "both"}, "chain wants data or persistent, got 'both'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=f"^output_settings: {message}$"):
        RBMSettings(**settings)


def test_settings_of_another_model_are_refused():
    with pytest.raises(ValueError, match=r"^output_settings: wants RBMSettings for rbm, got Settings\(\)"):
        RBM(4, 3, Settings())


def test_settings_are_drawn_within_their_intervals():
    kind: Kind = "music"
    drawn = [RBMSettings.draw(Draws("some", index=i), kind) for i in range(40)]
    assert all(100 <= some.units <= 250 and 5 <= some.cd_steps <= 25 and some.chain == "data" for some in drawn)
    assert len({some.units for some in drawn}) > 20
