"""Named streams and named draws: stable, shared by name, in range, and evenly spread."""

import itertools
import math

import pytest
import torch

from models.randomness import Draws, DrawsAt, generator_for, uniform_like

MANY = 4000


def test_generators_start_at_the_start_and_leave_the_global_one_alone():
    before = torch.get_rng_state()
    first, second = (torch.rand(5, generator=generator_for(3, "x")) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.rand(5, generator=generator_for(3, "y")))
    assert torch.equal(before, torch.get_rng_state())


def test_members_draw_together_what_each_draws_alone():
    values = torch.zeros(3, 5, 2).transpose(1, 2)
    together = uniform_like(values, [generator_for(seed) for seed in range(3)])
    alone = [uniform_like(values[:1], [generator_for(seed)]) for seed in range(3)]
    assert torch.equal(together, torch.cat(alone))
    assert together.unique().numel() == 30
    assert 0 <= together.min() < together.max() < 1


def test_the_same_name_gives_the_same_number_whoever_asks():
    alone = Draws(0, "chorales", 3)
    rate = alone.log_uniform("learning_rate", 1e-4, 1e-1)
    busy = Draws(0, "chorales", 3)
    busy.uniform("something", 0, 1)
    busy.integer("hidden_size", 100, 400)
    assert busy.log_uniform("learning_rate", 1e-4, 1e-1) == rate
    assert Draws(0, "chorales", 4).log_uniform("learning_rate", 1e-4, 1e-1) != rate
    assert Draws(1, "chorales", 3).log_uniform("learning_rate", 1e-4, 1e-1) != rate
    assert busy.log_uniform("momentum", 1e-4, 1e-1) != rate


def test_draws_at_a_part_are_where_so_many_draws_lie_below():
    whole = [Draws(3, index=i).integer("n", 2, 10) for i in range(200)]
    logs = sorted(Draws(3, index=i).log_uniform("x", 1e-4, 1e-1) for i in range(200))
    assert DrawsAt(0.25).log_uniform("y", 1e-4, 1e-1) == pytest.approx(logs[50], rel=0.1)
    assert [DrawsAt(part).integer("n", 2, 10) for part in (0, 1 - 2**-53)] == [min(whole), max(whole)]
    assert [DrawsAt(part).choice("c", "abc") for part in (0, 0.34, 0.67, 1 - 2**-53)] == list("abcc")


def test_every_four_in_a_row_have_one_in_each_quarter():
    for block in range(50):
        drawn = [Draws(7, index=4 * block + place).uniform("x", 0, 1) for place in range(4)]
        assert sorted(int(4 * x) for x in drawn) == [0, 1, 2, 3]
    orders = {tuple(int(4 * Draws(seed, index=i).uniform("x", 0, 1)) for i in range(4)) for seed in range(400)}
    assert len(orders) == 24, "in every order"


@pytest.mark.parametrize("options", [("a", "b"), (0.5, 0.1, 0.01), tuple("abcde")])
def test_no_option_comes_twice_before_each_came_once(options):
    n = len(options)
    for block in range(30):
        assert {Draws(3, index=n * block + place).choice("c", options) for place in range(n)} == set(options)
    firsts = [Draws(seed).choice("c", options) for seed in range(MANY)]
    for option in options:
        assert abs(firsts.count(option) / MANY - 1 / n) <= 5 * math.sqrt((n - 1) / n**2 / MANY)


def test_a_series_fills_its_interval_and_its_names_are_independent():
    pairs = [[Draws(5, index=i).uniform(name, 0, 1) for name in "xy"] for i in range(MANY)]
    for values in zip(*pairs, strict=True):
        _evenly(list(values))
    assert abs(torch.corrcoef(torch.tensor(pairs).T)[0, 1]) < 5 / math.sqrt(MANY)
    quarters = [(int(4 * x), int(4 * y)) for x, y in pairs]
    for cell in itertools.product(range(4), repeat=2):
        assert abs(quarters.count(cell) / MANY - 1 / 16) < 5 * math.sqrt(15 / 256 / MANY)


def _evenly(values: list[float]) -> None:
    """Ten equal shares of [0, 1), each within five standard deviations."""
    for tenth in range(10):
        share = sum(tenth / 10 <= value < (tenth + 1) / 10 for value in values) / len(values)
        assert abs(share - 0.1) < 5 * math.sqrt(0.09 / len(values))


def test_uniform_and_log_uniform_fill_their_intervals():
    plain = [Draws(i).uniform("x", -3, 5) for i in range(MANY)]
    assert all(-3 <= x < 5 for x in plain)
    _evenly([(x + 3) / 8 for x in plain])
    logs = [Draws(i).log_uniform("x", 1e-4, 1e-1) for i in range(MANY)]
    assert all(1e-4 <= x < 1e-1 for x in logs)
    _evenly([(math.log10(x) + 4) / 3 for x in logs])


def test_names_are_drawn_on_their_own():
    pairs = torch.tensor([[Draws(i).uniform("x", 0, 1), Draws(i).uniform("y", 0, 1)] for i in range(MANY)])
    assert abs(torch.corrcoef(pairs.T)[0, 1]) < 5 / math.sqrt(MANY)


def test_integers_include_both_ends():
    drawn = [Draws(i).integer("n", 3, 7) for i in range(MANY)]
    for n in range(3, 8):
        assert abs(drawn.count(n) / MANY - 0.2) < 5 * math.sqrt(0.16 / MANY)
    assert set(drawn) == {3, 4, 5, 6, 7}
    assert Draws(0).integer("n", 4, 4) == 4


@pytest.mark.parametrize("options", [("a",), ("a", "b"), (1.0, 2.0, 3.0)])
def test_choices_are_all_as_likely(options):
    drawn = [Draws(i).choice("c", options) for i in range(MANY)]
    p = 1 / len(options)
    assert set(drawn) == set(options)
    for option in options:
        assert abs(drawn.count(option) / MANY - p) <= 5 * math.sqrt(p * (1 - p) / MANY)
