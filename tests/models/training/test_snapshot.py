"""Tensors of one member out of a stack, and back into it: its own alone, and only what fits."""

import pytest
import torch
from torch import Tensor

from models.training.progress import CheckpointError
from models.training.snapshot import Snapshot
from tests.models import examples


def _stack() -> tuple[dict[str, Tensor], dict[str, list[torch.Generator]]]:
    """Three members, each with numbers and random numbers of its own."""
    rows = {"theta": torch.arange(6.0).view(3, 2), "steps": torch.tensor([[7], [8], [9]])}
    return rows, {"dropout": [torch.Generator().manual_seed(seed) for seed in range(3)]}


def _snapshot(s: int, rows: dict[str, Tensor], generators: dict[str, list[torch.Generator]]) -> Snapshot:
    return Snapshot.of(examples.trial(), s, rows, generators)


def test_what_was_copied_is_put_back_into_its_member_alone():
    rows, generators = _stack()
    tensors = _snapshot(1, rows, generators).copied()
    assert {name: tuple(value.shape) for name, value in tensors.items() if name != "dropout"} == {
        "theta": (1, 2),
        "steps": (1, 1),
    }
    drawn = torch.rand(3, generator=generators["dropout"][1])
    for row in rows.values():
        row.zero_()
    others = [generator.get_state() for generator in generators["dropout"]]
    _snapshot(1, rows, generators).put_back(tensors)
    assert rows["theta"].tolist() == [[0, 0], [2, 3], [0, 0]]
    assert rows["steps"].tolist() == [[0], [8], [0]]
    assert torch.equal(torch.rand(3, generator=generators["dropout"][1]), drawn)
    for s in (0, 2):
        assert torch.equal(generators["dropout"][s].get_state(), others[s])


def test_a_copy_stays_as_it_is_when_the_run_goes_on():
    rows, generators = _stack()
    tensors = _snapshot(0, rows, generators).copied()
    before = {name: value.clone() for name, value in tensors.items()}
    rows["theta"].fill_(5)
    torch.rand(9, generator=generators["dropout"][0])
    assert all(torch.equal(tensors[name], value) for name, value in before.items())


@pytest.mark.parametrize("name", ["theta", "steps", "dropout"])
def test_tensors_of_something_else_are_refused_before_one_is_touched(name):
    rows, generators = _stack()
    tensors = {name: value + 1 for name, value in _snapshot(2, rows, generators).copied().items()}
    value = tensors.pop(name)
    for wrong in ({}, {name: value[..., :-1]}, {name: value.double()}, {name: value, "more": value}):
        with pytest.raises(CheckpointError, match="^checkpoint: its tensors are not those of rnn/bernoulli/SGD$"):
            _snapshot(2, rows, generators).put_back(tensors | wrong)
        assert rows["theta"].tolist() == [[0, 1], [2, 3], [4, 5]]
