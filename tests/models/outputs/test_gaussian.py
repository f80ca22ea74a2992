"""The Gaussian answer against the standard library's distribution: density, samples, what is right."""

from statistics import NormalDist

import pytest
import torch

from models.outputs import Gaussian
from models.outputs.gaussian import TOLERANCE, GaussianSettings
from models.parameters import Parameters

WIDTH, HIDDEN = 3, 4


def _made(deviation: float = 0.3, members: int = 2) -> tuple[Gaussian, Parameters, torch.Tensor]:
    model = Gaussian(WIDTH, HIDDEN, GaussianSettings(deviation))
    parameters = Parameters(members, model.shapes(), torch.float64)
    generator = torch.Generator().manual_seed(0)
    parameters.theta_SP.normal_(generator=generator)
    return model, parameters, torch.randn(members, 2, 3, HIDDEN, generator=generator, dtype=torch.float64)


def _mean(parameters: Parameters, states: torch.Tensor, s: int, t: int, b: int) -> float:
    member = parameters.member(s)
    return float(member["output_bias"][0] + sum(states[s, t, b] * member["output_weight"][:, 0]))


def test_density_of_the_last_value_and_of_no_other():
    model, parameters, states = _made()
    data = torch.randn(2, 2, 3, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours = model.log_likelihood(parameters.by_name, states, data)
    assert ours.shape == (2, 2, 3)
    for s, t, b in torch.cartesian_prod(*map(torch.arange, ours.shape)).tolist():
        density = NormalDist(_mean(parameters, states, s, t, b), 0.3).pdf(float(data[s, t, b, -1]))
        assert ours[s, t, b].exp().item() == pytest.approx(density, rel=1e-9)
    data[..., :-1] += 5
    assert torch.equal(model.log_likelihood(parameters.by_name, states, data), ours)


def test_right_is_within_the_tolerance():
    model, parameters, states = _made()
    off = torch.tensor([0.0, 0.039, -0.039, 0.041, -0.041, 3.0], dtype=torch.float64)
    assert TOLERANCE == 0.04
    data = torch.zeros(2, 2, 3, WIDTH, dtype=torch.float64)
    for s in range(2):
        for n, error in enumerate(off.tolist()):
            data[s, n // 3, n % 3, -1] = _mean(parameters, states, s, n // 3, n % 3) + error
    right = model.right(parameters.by_name, states, data)
    assert right.flatten(1).tolist() == [[True, True, True, False, False, False]] * 2


def test_samples_have_their_moments_and_each_member_its_own():
    model, parameters, _ = _made()
    states = torch.zeros(2, 100, 100, HIDDEN, dtype=torch.float64)
    draw = [
        model.sample(parameters.by_name, states, [torch.Generator().manual_seed(n) for n in seeds])
        for seeds in ((1, 2), (1, 3))
    ]
    assert draw[0].shape == (2, 100, 100, WIDTH)
    assert not draw[0][..., :-1].any()
    values = draw[0][0, ..., -1]
    assert abs(values.mean() - parameters.member(0)["output_bias"][0]) < 5 * 0.3 / 100
    assert values.std().item() == pytest.approx(0.3, rel=0.05)
    assert torch.equal(draw[0][0], draw[1][0])
    assert not torch.equal(draw[0][1], draw[1][1])


def test_training_starts_from_the_mean():
    model = Gaussian(WIDTH, 400)
    parameters = Parameters(1, model.shapes())
    model.initialise(parameters.member(0), torch.Generator().manual_seed(0), torch.tensor([0.1, 0.2, 0.7]))
    assert parameters.member(0)["output_bias"].tolist() == [pytest.approx(0.7)]
    assert abs(parameters.member(0)["output_weight"].std().item() - 0.005) < 0.001


@pytest.mark.parametrize("deviation", [0.0, -1.0, float("inf"), float("nan")])
def test_a_deviation_that_is_none_is_refused(deviation):
    with pytest.raises(ValueError, match="^deviation: wants a finite number over 0"):
        GaussianSettings(deviation)
