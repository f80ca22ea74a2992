"""Named seeds: the same everywhere, and others for other names."""

from models.seeds import seed_for

PINNED = 2585612444217454947


def test_seeds_are_the_same_on_every_machine():
    assert seed_for(1, "order", 0) == PINNED
    assert seed_for("1", "order", "0") == PINNED


def test_seeds_differ_by_every_name_and_fit_a_generator():
    names = [(), (0,), (1,), (1, "a"), (1, "b"), ("1a",), (1, "a", 0), (11, ""), (1, 1), ("a", 1)]
    seeds = {seed_for(*name) for name in names}
    assert len(seeds) == len(names)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seed_for(i) for i in range(200)) > 2**62


def test_fewer_bits_are_the_first_of_more():
    wide = seed_for("intervals", bits=128)
    assert 2**64 < wide < 2**128
    assert wide >> 65 == seed_for("intervals")


def test_another_separator_is_another_stream():
    assert seed_for(4, "report", separator="\0") != seed_for(4, "report")
    assert seed_for(4, separator="\0") == seed_for(4)
