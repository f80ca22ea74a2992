"""What hyper-parameters are drawn from: against closed forms, and what cannot be."""

import pytest

from models.randomness import Draws, DrawsAt, DrawsNoted
from models.ranges import Interval, Values, read_range

INDICES = range(400)


def test_a_scale_is_where_a_number_is_uniform():
    parts = [0.0, 0.25, 0.5, 0.75]
    assert [Interval(2, 6).at(part) for part in parts] == [2, 3, 4, 5]
    assert [Interval(1e-4, 1.0, "log").at(part) for part in parts] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert [1 - Interval(0.0, 0.9999, "reverse-log").at(part) for part in parts] == pytest.approx(
        [1e-4, 1e-3, 1e-2, 1e-1]
    )


def test_the_ends_of_a_momentum_are_exact():
    """1 - 0.95 is 0.05 in decimals, and not in binary: draws of 1 - mu in [0.05, 0.999] are the same to the bit."""
    drawn = [Draws(3, index=i).reverse_log_uniform("momentum", 1e-3, 0.95) for i in INDICES]
    assert drawn == [1 - Draws(3, index=i).log_uniform("momentum", 0.05, 0.999) for i in INDICES]


@pytest.mark.parametrize(("scale", "shares"), [("linear", (1 / 3, 1 / 3)), ("log", (0.5, 0.2075))])
def test_whole_numbers_have_both_ends_and_the_shares_of_their_scale(scale, shares):
    """From 1 to 3: on the logarithmic scale n has log((n + 1) / n) / log 4, that is 0.5, 0.292 and 0.2075."""
    parts = [(i + 0.5) / 1000 for i in range(1000)]
    drawn = [Interval(1, 3, scale).whole(part) for part in parts]
    assert (drawn.count(1) / 1000, drawn.count(3) / 1000) == pytest.approx(shares, abs=2e-3)
    assert set(drawn) == {1, 2, 3}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (3, Values((3,))),
        ("tanh", Values(("tanh",))),
        ([15, 60.0], Values((15, 60.0))),
        ({"low": 1, "high": 2}, Interval(1, 2)),
        ({"low": 1e-4, "high": 0.1, "scale": "log"}, Interval(1e-4, 0.1, "log")),
    ],
)
def test_what_is_written_is_read_and_written_again(written, read):
    assert read_range(written) == read
    assert read_range(read.to_json()) == read


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ([], "empty list"),
        ([None], "None"),
        (float("nan"), "nan"),
        ([[1]], r"\[1\]"),
        ({}, "low, high"),
        ({"low": 1}, "low, high"),
        ({"low": 1, "high": 2, "step": 1}, "step"),
        ({"low": 2, "high": 2}, "empty interval, low 2 and high 2"),
        ({"low": 3, "high": 2}, "empty interval, low 3 and high 2"),
        ({"low": "1", "high": 2}, "'1'"),
        ({"low": True, "high": 2}, "True"),
        ({"low": 1, "high": float("inf")}, "inf"),
        ({"low": 0, "high": 2, "scale": "log"}, "low 0 has no logarithm"),
        ({"low": 0, "high": 1, "scale": "reverse-log"}, "high 1: 1 less it has no logarithm"),
        ({"low": 0, "high": 1, "scale": "cubic"}, "'cubic'"),
    ],
)
def test_what_cannot_be_drawn_from_says_why(written, wrong):
    with pytest.raises(ValueError, match=wrong):
        read_range(written)


def test_what_is_given_is_drawn_from_in_place_of_the_own_range():
    given = {
        "rate": Interval(2.0, 3.0),
        "units": Interval(7, 9),
        "threshold": Values((1, 2)),
        "reading": Values(("b",)),
        "low": Interval(0.1, 0.2),
        "patience": Values((4,)),
    }
    drawn = [Draws(0, index=i, given=given) for i in INDICES]
    assert all(2 <= each.log_uniform("rate", 1e-4, 1e-1) < 3 for each in drawn)
    assert {each.integer("units", 50, 200) for each in drawn} == {7, 8, 9}
    thresholds = {each.choice("threshold", (15.0, 60.0)) for each in drawn}
    assert thresholds == {1.0, 2.0}
    assert {type(each) for each in thresholds} == {float}, "equal numbers are equal trials, of one key"
    assert {each.choice("reading", ("a", "b")) for each in drawn} == {"b"}
    assert all(0.1 <= each.constant("low", 0.02) < 0.2 for each in drawn)
    assert drawn[0].constant("patience", 3) == 4
    assert drawn[0].constant("decay", 0.5) == 0.5


def test_the_same_range_given_draws_the_same_numbers():
    given = {"rate": Interval(1e-4, 1e-1, "log"), "units": Interval(50, 200), "threshold": Values((15.0, 60.0))}
    for i in INDICES:
        own, other = Draws(1, "search", index=i), Draws(1, "search", index=i, given=given)
        assert own.log_uniform("rate", 1e-4, 1e-1) == other.log_uniform("rate", 1, 2)
        assert own.integer("units", 50, 200) == other.integer("units", 1, 2)
        assert own.choice("threshold", (15.0, 60.0)) == other.choice("threshold", (1.0,))


def test_a_name_where_a_number_is_wanted_and_parts_of_whole_numbers_are_told():
    with pytest.raises(ValueError, match="rate: wants a number, got 'fast'"):
        Draws(0, given={"rate": Values(("fast",))}).uniform("rate", 0, 1)
    with pytest.raises(ValueError, match=r"whole numbers, got an interval from 1.5 to 3"):
        Draws(0, given={"units": Interval(1.5, 3)}).integer("units", 1, 2)
    with pytest.raises(ValueError, match="reverse-log: a scale of numbers under 1"):
        Interval(-3, 0, "reverse-log").whole(0.0)


def test_draws_note_what_they_are_drawn_from():
    noted = DrawsNoted({"units": Values((5,))})
    assert (noted.integer("units", 1, 2), noted.uniform("rate", 0.0, 1.0)) == (5, 0.0)
    assert noted.seen == {"units": Values((5,)), "rate": Interval(0.0, 1.0)}
    assert DrawsAt(0.5, {"rate": Interval(2, 4)}).uniform("rate", 0.0, 1.0) == 3
