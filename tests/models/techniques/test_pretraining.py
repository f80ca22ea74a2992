"""Pre-training as a technique: its numbers, and what it goes with."""

import re

import pytest

from models.randomness import Draws
from models.techniques import Pretraining
from models.variants import Variant
from tests.models import examples


@pytest.mark.parametrize("name", ["frame_epochs", "recurrent_epochs"])
@pytest.mark.parametrize("bad", [-1, 1.5, True, "2", None])
def test_a_number_out_of_range_is_named(name, bad):
    numbers = {"frame_epochs": 1, "recurrent_epochs": 1} | {name: bad}
    with pytest.raises(ValueError, match=f"^pre-training {name}: wants an integer from 0, got {bad!r}"):
        Pretraining(**numbers)


def test_a_phase_may_be_left_out_but_not_both():
    assert Pretraining(3, 0).pretraining() == {"frame": 3}
    assert Pretraining(0, 2).pretraining() == {"recurrent": 2}
    assert Pretraining(3, 2).pretraining() == {"frame": 3, "recurrent": 2}
    with pytest.raises(ValueError, match="^pre-training: wants an epoch of a phase at least"):
        Pretraining(0, 0)


def test_two_to_ten_epochs_of_each_phase_are_drawn():
    drawn = [Pretraining.draw(Draws(0, index=index), "music") for index in range(200)]
    for epochs in ({one.frame_epochs for one in drawn}, {one.recurrent_epochs for one in drawn}):
        assert epochs == set(range(2, 11))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rnn/bernoulli/SGD+P", "technique P (pre-training) does not go with bernoulli: "),
        ("rnn/softmax/SGD+CP", "technique P (pre-training) does not go with softmax: "),
        ("rnn/classes/SGD+P", "technique P (pre-training) does not go with classes: "),
        ("rnn/gaussian/SGD+P", "technique P (pre-training) does not go with gaussian: "),
        ("frame/nade/SGD+P", "technique P (pre-training) does not go with frame: "),
        ("rnn/nade/HF+P", "optimizer: HF does not go with technique P (pre-training): "),
    ],
)
def test_what_it_does_not_go_with_is_one_line(name, reason):
    with pytest.raises(ValueError, match=re.escape(f"variant {name!r}: {reason}")) as caught:
        Variant.parse(name)
    message = str(caught.value)
    assert "take it with" in message
    assert "\n" not in message


@pytest.mark.parametrize("core", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("output", ["nade", "rbm"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_it_goes_with_every_core_that_remembers(core, output, optimizer):
    assert examples.trial("CP", core=core, output=output, optimizer=optimizer).variant == (
        f"{core}/{output}/{optimizer}+CP"
    )
