"""Energies and Gibbs steps against the sum over every state of the units."""

import math
from dataclasses import replace

import pytest
import torch

from models.outputs.rbm.machine import Machines, draw_
from tests.models.outputs.machines import everything, log_joint, machines


def _generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_free_energy_equals_the_sum_over_all_states_of_the_units():
    some = machines(members=2, count=3, notes=4, units=5)
    for v, notes in enumerate(everything(4)):
        ours = some.free_energy(notes.expand(2, 3, 4))
        for s in range(2):
            for n in range(3):
                expected = -log_joint(some, s, n)[v].logsumexp(0)
                assert ours[s, n].item() == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_free_energy_of_extreme_biases_is_exact(dtype):
    extreme = Machines(
        torch.tensor([[[1000.0, -1000]]], dtype=dtype),
        torch.tensor([[[1000.0, -1000, 0]]], dtype=dtype),
        torch.zeros(1, 3, 2, dtype=dtype),
    )
    ours = extreme.free_energy(torch.ones(1, 1, 2, dtype=dtype))
    assert ours.item() == pytest.approx(-1000 - math.log(2))


def _matrix(some: Machines) -> torch.Tensor:
    """P(v -> v') of one Gibbs step by enumeration, from the joint distribution alone."""
    joint = log_joint(some, 0, 0).exp()
    return (joint / joint.sum(1, keepdim=True)) @ (joint / joint.sum(0)).T


def test_one_gibbs_step_has_the_transitions_of_the_joint_distribution():
    some, count = machines(members=1, count=1, notes=3, units=2), 20_000
    expected = _matrix(some)
    many = Machines(some.visible_SND.expand(1, count, 3), some.hidden_SNU.expand(1, count, 2), some.coupling_SUD)
    for start, notes in enumerate(everything(3)):
        after = many.gibbs(notes.expand(1, count, 3), 1, _generators(start))
        found = torch.bincount((after[0] @ torch.tensor([4.0, 2, 1], dtype=torch.float64)).long(), minlength=8)
        wanted = count * expected[start]
        assert ((found - wanted) ** 2 / wanted).sum() < 29.9, "1 in 10,000 with seven degrees of freedom"


def test_gibbs_steps_leave_the_model_as_it_is():
    some, count = machines(members=1, count=1, notes=3, units=2), 40_000
    model = log_joint(some, 0, 0).logsumexp(1).softmax(0)
    assert torch.allclose(model @ _matrix(some), model), "the reference"
    start = everything(3)[torch.multinomial(model, count, replacement=True, generator=_generators(1)[0])]
    many = Machines(some.visible_SND.expand(1, count, 3), some.hidden_SNU.expand(1, count, 2), some.coupling_SUD)
    after = many.gibbs(start[None], 3, _generators(2))
    found = torch.bincount((after[0] @ torch.tensor([4.0, 2, 1], dtype=torch.float64)).long(), minlength=8)
    assert ((found - count * model) ** 2 / (count * model)).sum() < 29.9, "1 in 10,000 with seven degrees of freedom"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_members_draw_what_they_draw_alone_and_the_start_is_left(dtype):
    some = machines(members=3, count=6, notes=5, units=4)
    some = Machines(*(value.to(dtype) for value in vars(some).values()))
    start = (torch.rand(3, 6, 5, generator=_generators(0)[0]) < 0.5).to(dtype)
    before = start.clone()
    together = some.gibbs(start, 4, _generators(1, 2, 3))
    assert torch.equal(start, before)
    assert together.dtype == dtype
    for s in range(3):
        alone = Machines(*(value[s : s + 1] for value in vars(some).values()))
        assert torch.equal(alone.gibbs(start[s : s + 1], 4, _generators(s + 1))[0], together[s])


def test_each_machine_has_its_own_biases():
    some = machines(members=1, count=2, notes=3, units=2)
    sure = replace(some, visible_SND=torch.tensor([[[1e3, -1e3, 1e3], [-1e3, 1e3, -1e3]]], dtype=torch.float64))
    assert sure.gibbs(torch.zeros(1, 2, 3, dtype=torch.float64), 1, _generators(0)).tolist() == [
        [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    ]


def test_no_step_gives_back_the_start():
    some, start = machines(members=1, count=1, notes=3, units=2), torch.ones(1, 1, 3, dtype=torch.float64)
    assert torch.equal(some.gibbs(start, 0, _generators(0)), start)


def test_draws_are_zeros_and_ones_and_do_not_hide_nan():
    logits = torch.tensor([[-1e9, 1e9, math.nan, math.inf, -math.inf]])
    drawn = draw_(logits, torch.empty_like(logits), _generators(0))
    assert drawn[0, [0, 1, 3, 4]].abs().tolist() == [0.0, 1.0, 1.0, 0.0]
    assert drawn[0, 2].isnan()
    many = torch.full((1, 100_000), -1.0)
    share = draw_(many, torch.empty_like(many), _generators(0)).mean().item()
    assert abs(share - 1 / (1 + math.e)) < 5 * (0.2 / 100_000) ** 0.5
    assert set(many.abs().unique().tolist()) == {0.0, 1.0}
