"""What the models refuse at their edge, in one line that names the argument."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.network import Network
from models.techniques import Technique
from models.training.run import Run
from tests.models import examples


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_data_that_is_not_finite(bad):
    roll = np.zeros((4, 5), np.float32)
    roll[2, 3] = bad
    with pytest.raises(ValueError, match="^pieces: wants finite numbers"):
        Pieces.from_arrays([np.zeros((2, 5), np.float32), roll])


def test_pieces_of_another_width():
    music, text = Pieces.from_arrays(examples.music([5])), Pieces.from_arrays([np.array([0, 7, 3])])
    with pytest.raises(ValueError, match="^pieces: wants 88 notes a step, got 5$"):
        Run([examples.trial()], music, music, 88)
    with pytest.raises(ValueError, match="^pieces: wants symbols from 0 to 6, got 0 to 7$"):
        Run([examples.trial(output="softmax")], text, text, 7)
    with pytest.raises(ValueError, match="^pieces: wants symbols from 0 to 6, got -1 to 2$"):
        frequencies(Pieces.from_arrays([np.array([-1, 2])]), 7)


@dataclass(frozen=True)
class _Retaining(Technique):
    letter: ClassVar[str] = "L"
    title: ClassVar[str] = "retaining"
    values: tuple[float, ...]

    def retention(self, hidden_size, generator):
        return torch.tensor(self.values)


@pytest.mark.parametrize("values", [(0.5,) * 6, (0.5,) * 6 + (1.0,), (-0.1,) + (0.5,) * 6, (float("nan"),) * 7])
def test_a_retention_out_of_range(values):
    with pytest.raises(ValueError, match=r"^retention: retaining wants 7 numbers in \[0, 1\)$"):
        Network(examples.trial(techniques=(_Retaining(values),)), torch.full((5,), 0.5))
