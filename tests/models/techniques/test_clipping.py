"""C: one norm over all parameters, `>=`, and nothing else touched."""

import math

import pytest
import torch

from models.randomness import Draws
from models.techniques import Clipping
from models.techniques.clipping import clip_
from tests.models import examples, naive


def _clipped(rows: list[list[float]], threshold: float) -> torch.Tensor:
    gradient = torch.tensor(rows, dtype=torch.float64)
    clip_(gradient, gradient.norm(dim=1, keepdim=True), threshold)
    return gradient


def test_a_long_gradient_keeps_its_direction_and_gets_the_threshold_as_norm():
    row = [3.0, -4.0, 12.0]
    clipped = _clipped([row], 6.5)
    torch.testing.assert_close(clipped, torch.tensor([[1.5, -2.0, 6.0]], dtype=torch.float64))


def test_a_short_gradient_is_left_to_the_bit():
    row = [0.1, 0.2, 0.3]
    assert torch.equal(_clipped([row, [30.0, 0, 0]], 1.0)[0], torch.tensor(row, dtype=torch.float64))


def test_rows_are_clipped_each_by_its_own_norm():
    torch.testing.assert_close(
        _clipped([[3.0, 4.0], [0.6, 0.8], [30.0, 40.0]], 2.0),
        torch.tensor([[1.2, 1.6], [0.6, 0.8], [1.2, 1.6]], dtype=torch.float64),
    )


def test_zero_gradients_stay_zero():
    assert not _clipped([[0.0, 0.0]], 1.0).any()


def test_the_norm_given_is_the_one_compared_and_nothing_jumps_at_the_threshold():
    # A norm told that is not the gradient's own shows which one counts. At the threshold the factor is 1.
    for told, factor in ((2.0, 1.0), (math.nextafter(2.0, 0), 1.0), (4.0, 0.5)):
        gradient = torch.tensor([[1.0, 1.0]], dtype=torch.float64)
        clip_(gradient, torch.tensor([[told]], dtype=torch.float64), 2.0)
        torch.testing.assert_close(gradient, torch.full((1, 2), factor, dtype=torch.float64))


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_gradient_that_is_not_finite_is_left_for_training_to_find(bad):
    clipped = _clipped([[1.0, bad], [3.0, 4.0]], 1.0)
    assert not clipped[0].isfinite().all()
    assert clipped[0, 0] == 1.0
    torch.testing.assert_close(clipped[1], torch.tensor([0.6, 0.8], dtype=torch.float64))


def test_one_norm_over_all_parameters_of_a_trial():
    train = examples.pieces("bernoulli", [6, 6])
    network = examples.network(examples.trial("C"), train)
    gradient = network.parameters.gradient_SP
    gradient.normal_(generator=torch.Generator().manual_seed(0))
    parts = [part.clone() for part in network.parameters.split(gradient).values()]
    whole = naive.norm(parts)
    # Over every single tensor's norm, and under that of all: only one norm over all of them clips.
    threshold = 0.5 * (max(naive.norm([part]) for part in parts) + whole)
    Clipping(threshold).transform_(gradient, gradient.norm(dim=1, keepdim=True))
    for before, after in zip(parts, network.parameters.split(gradient).values(), strict=True):
        torch.testing.assert_close(after, before * threshold / whole)
    assert naive.norm(list(network.parameters.split(gradient).values())) == pytest.approx(threshold)


def test_the_papers_thresholds_and_its_rule():
    assert {Clipping.draw(Draws(i), "music").threshold for i in range(40)} == {15.0, 60.0}
    for kind in ("words", "characters"):
        assert {Clipping.draw(Draws(i), kind).threshold for i in range(40)} == {30.0, 50.0}


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_a_bad_threshold_is_named(bad):
    with pytest.raises(ValueError, match="threshold"):
        Clipping(bad)
