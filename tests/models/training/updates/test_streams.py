"""Random numbers of the members of a stack: by name from their trial, and with their member where it goes."""

import torch

from models.randomness import generator_for
from models.techniques import Placebo
from models.training.updates.streams import Streams
from tests.models import examples

TRIALS = [examples.trial(seed=1), examples.trial(techniques=(Placebo(3),), seed=1), examples.trial(seed=3)]


def _numbers(generators: list[torch.Generator]) -> list[list[float]]:
    return [torch.rand(2, generator=generator).tolist() for generator in generators]


def test_each_member_and_each_purpose_has_the_stream_of_its_name():
    streams = Streams(TRIALS)
    dropout, chains = _numbers(streams.dropout), _numbers(streams.chains)
    assert dropout == _numbers([generator_for(trial.stream, "dropout") for trial in TRIALS])
    assert chains == _numbers([generator_for(trial.stream, "chains") for trial in TRIALS])
    assert len({tuple(numbers) for numbers in dropout + chains}) == 6


def test_those_that_are_kept_go_on_where_they_were():
    streams, same = Streams(TRIALS), Streams(TRIALS)
    for each in (streams, same):
        _numbers(each.dropout)
    streams.keep([2, 0])
    expected = _numbers(same.dropout)
    assert _numbers(streams.dropout) == [expected[2], expected[0]]
    assert len(streams.chains) == 2
