"""What every technique promises, whoever wrote it: one suite over the tuple."""

import dataclasses
import json
from typing import get_type_hints

import pytest
import torch

from models.core import RNN
from models.outputs import Softmax
from models.randomness import Draws, generator_for
from models.techniques import Technique
from models.techniques.base import PHASES, Number
from models.variants import BY_LETTER

RATE = torch.tensor([[0.1]])
KINDS = ("music", "characters", "words")


def test_letters_are_single_and_differ():
    assert list(BY_LETTER)[:6] == list("CLRMPZ")
    assert all(len(letter) == 1 for letter in BY_LETTER)
    assert len({technique.title for technique in BY_LETTER.values()}) == len(BY_LETTER)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("technique", BY_LETTER.values(), ids=lambda t: t.letter)
class TestEveryTechnique:
    def test_draws_repeat_and_vary(self, technique, kind):
        assert technique.draw(Draws(0, "a"), kind) == technique.draw(Draws(0, "a"), kind)
        drawn = {technique.draw(Draws(i), kind) for i in range(30)}
        assert len(drawn) > 1 or (technique.letter, kind) == ("C", "music")

    def test_it_is_frozen_and_goes_through_json(self, technique, kind):
        one = technique.draw(Draws(1), kind)
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.letter = "X"
        assert technique(**json.loads(json.dumps(dataclasses.asdict(one)))) == one

    def test_hooks_keep_shapes_and_types(self, technique, kind):
        one = technique.draw(Draws(2), kind)
        assert one.activation("tanh") in ("tanh", "sigmoid", "relu")
        retention = one.retention(6, generator_for(0))
        if retention is not None:
            assert retention.shape == (6,)
            assert ((retention >= 0) & (retention < 1)).all()
        penalty = one.penalty(torch.ones(1, 5, 6))
        assert penalty is None or penalty.shape == (1, 5)
        theta, gradient, velocity = torch.ones(1, 4), torch.ones(1, 4), torch.zeros(1, 4)
        assert one.transform_(gradient, gradient.norm(dim=1, keepdim=True)) is None
        assert one.step_(theta, gradient, velocity, RATE) in (True, False)

    def test_numbers_that_become_columns_in_its_hooks_are_typed_so(self, technique, kind):
        hooks = ("penalty", "transform_", "step_")
        acts = any(getattr(technique, hook) is not getattr(Technique, hook) for hook in hooks)
        one, types = technique.draw(Draws(5), kind), get_type_hints(technique)
        real = [field.name for field in dataclasses.fields(one) if isinstance(getattr(one, field.name), float)]
        assert [name for name in real if acts and types[name] != Number] == []

    def test_its_phases_are_known_and_have_epochs(self, technique, kind):
        phases = technique.draw(Draws(4), kind).pretraining()
        assert set(phases) <= set(PHASES)
        assert all(isinstance(epochs, int) and epochs > 0 for epochs in phases.values())

    def test_it_acts_somewhere(self, technique, kind):
        one = technique.draw(Draws(3), kind)
        # small and large, for a threshold that is drawn may be anywhere between
        before = torch.tensor([[1e-6, -1.0, 1e3, -1e6]])
        gradient = before.clone()
        one.transform_(gradient, gradient.norm(dim=1, keepdim=True))
        assert (
            one.activation("tanh") != "tanh"
            or one.retention(6, generator_for(0)) is not None
            or one.penalty(torch.ones(1, 5, 6)) is not None
            or not torch.equal(gradient, before)
            or one.pretraining()
            or one.stream(1) != 1
            or one.step_(torch.ones(1, 4), gradient, torch.zeros(1, 4), RATE)
        )


def test_the_hooks_of_the_base_do_nothing():
    class Nothing(Technique):
        letter, title = "N", "nothing"

    one, gradient, theta = Nothing(), torch.ones(1, 3), torch.ones(1, 3)
    assert one.activation("sigmoid") == "sigmoid"
    assert one.retention(3, generator_for(0)) is None
    assert one.penalty(torch.ones(1, 1, 3)) is None
    assert one.transform_(gradient, gradient.norm(dim=1, keepdim=True)) is None
    assert one.step_(theta, gradient, torch.zeros(1, 3), RATE) is False
    assert one.pretraining() == {}
    assert Nothing.why_not(RNN, Softmax) is None
    assert torch.equal(gradient, torch.ones(1, 3))
    assert torch.equal(theta, torch.ones(1, 3))
    with pytest.raises(TypeError, match="Nothing"):
        Nothing.draw(Draws(0), "music")
