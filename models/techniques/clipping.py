"""C: clip the norm of the gradient.

Section 3.1 of arXiv:1212.0901 (from Pascanu, Mikolov & Bengio, arXiv:1211.5063):

    if ||g|| >= c:  g <- c g / ||g||

There is one norm over all parameters. The scale of c depends on the cost: `Trial.cost` says whether the cost of a chunk
is the sum or the mean over its steps. The record of a trial holds the mean norm that occurred in training.

Shape letters: S stacked trials, P parameters in a row.
"""

from dataclasses import dataclass
from math import inf
from typing import ClassVar, Self

import torch
from torch import Tensor

from models.data_kinds import Kind
from models.randomness import Draws
from models.techniques.base import Number, Technique


def clip_(gradient_SP: Tensor, norm_S1: Tensor, threshold: Number) -> None:
    """Scale each row whose norm is at least the threshold down to the threshold, in place.

    Args:
        gradient_SP: one gradient a row.
        norm_S1: the Euclidean norm of each row.
        threshold: c > 0; one for all, or (S, 1).

    A row with a non-finite norm is left unchanged; training detects it.

    >>> g = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    >>> clip_(g, g.norm(dim=1, keepdim=True), 1.0); g
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    above = (norm_S1 >= threshold) & (norm_S1 < inf)
    gradient_SP.mul_(torch.where(above, threshold / norm_S1, 1.0))


_THRESHOLDS: dict[Kind, tuple[float, float]] = {
    "music": (15.0, 60.0),
    "characters": (30.0, 50.0),
    "words": (30.0, 50.0),
    "temporal-order": (1.0, 4.0),
    "adding": (1.0, 10.0),
}


@dataclass(frozen=True)
class Clipping(Technique):
    """Clip the norm of the gradient of one chunk at `threshold`."""

    letter: ClassVar[str] = "C"
    title: ClassVar[str] = "gradient clipping"
    threshold: Number

    def __post_init__(self) -> None:
        if not 0 < self.threshold < inf:
            raise ValueError(f"clipping threshold: wants a finite number over 0, got {self.threshold}")

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """15 or 60 for music, 30 or 50 for text, less for synthetic sequences, of which only one step is scored.

        15, 30 and 50 are the paper's numbers. The paper's rule is to set c from the mean norm. On the chorales the mean
        norm is about 60 with the summed cost; there 15 clips every update, so that all steps have the same length. The
        other numbers follow the rule: during learning the mean norm of temporal order is 1 to 9, that of adding 5 to
        50.
        """
        return cls(draws.choice("threshold", _THRESHOLDS[kind]))

    def transform_(self, gradient_SP: Tensor, norm_S1: Tensor) -> None:
        """Clip every row."""
        clip_(gradient_SP, norm_S1, self.threshold)
