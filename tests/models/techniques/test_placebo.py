"""The placebo: another luck, and nothing else."""

from dataclasses import replace

import pytest
import torch

from models.data.chunks import Pieces
from models.seeds import seed_for
from models.techniques import Clipping, Placebo
from models.training.run import train
from tests.models import examples


def test_every_stream_of_a_trial_is_another_one_and_its_seed_stays():
    plain = examples.trial(seed=5)
    placebo = replace(plain, techniques=(Placebo(9),))
    assert (plain.stream, placebo.seed) == (5, 5)
    assert placebo.stream == seed_for(5, "placebo", 9) != replace(placebo, techniques=(Placebo(8),)).stream
    assert replace(plain, techniques=(Clipping(15.0), Placebo(9))).stream == placebo.stream


def test_a_trial_with_it_is_that_of_another_seed_to_the_bit():
    pieces = Pieces.from_arrays(examples.music([9, 7, 8]))
    plain = examples.trial(epochs=2, input_dropout=0.2)
    placebo = replace(plain, techniques=(Placebo(9),))
    ended = [train(trial, pieces, pieces, 5) for trial in (placebo, replace(plain, seed=placebo.stream), plain)]
    assert str(ended[0].curve) == str(ended[1].curve) != str(ended[2].curve)
    for name, weight in ended[0].weights.items():
        assert torch.equal(weight, ended[1].weights[name]), name


@pytest.mark.parametrize("salt", [-1, 0.5, None])
def test_a_salt_that_is_none_is_refused(salt):
    with pytest.raises(ValueError, match="salt: wants an integer from 0"):
        Placebo(salt)
