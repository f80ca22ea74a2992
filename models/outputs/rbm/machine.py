"""Restricted Boltzmann machines with shared couplings and their own biases: free energies and Gibbs steps.

    P(v, h) = exp(b_v'v + b_h'h + h'Wv) / Z
    F(v) = -log sum_h exp(b_v'v + b_h'h + h'Wv) = -b_v'v - sum_j log(1 + exp(b_h_j + (Wv)_j))

Section 2 of arXiv:1206.6392. What this does not do: depend on states or time, or estimate Z (`annealing.py`).

Shape letters: S stacked trials, N frames, D notes, U units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True, eq=False)
class Machines:
    """One machine for each frame.

    Attributes:
        visible_SND, hidden_SNU: the biases b_v and b_h of each machine.
        coupling_SUD: W, common to all machines of a member.
    """

    visible_SND: Tensor
    hidden_SNU: Tensor
    coupling_SUD: Tensor

    def free_energy(self, notes_SND: Tensor) -> Tensor:
        """F(v) of one v for each machine, (S, N)."""
        logits_SNU = torch.baddbmm(self.hidden_SNU, notes_SND, self.coupling_SUD.transpose(1, 2))
        return -(self.visible_SND * notes_SND).sum(-1) - softplus(logits_SNU).sum(-1)

    @torch.no_grad()
    def gibbs(self, notes_SND: Tensor, steps: int, generators: Sequence[torch.Generator]) -> Tensor:
        """The notes after a number of Gibbs steps, h ~ P(h | v), v ~ P(v | h): (S, N, D).

        Args:
            notes_SND: start of each machine's chain; not changed.
            steps: number of steps.
            generators: one for each member.
        """
        units_SNU, numbers_SNU = torch.empty_like(self.hidden_SNU), torch.empty_like(self.hidden_SNU)
        drawn_SND, numbers_SND = torch.empty_like(self.visible_SND), torch.empty_like(self.visible_SND)
        for _ in range(steps):
            torch.baddbmm(self.hidden_SNU, notes_SND, self.coupling_SUD.transpose(1, 2), out=units_SNU)
            draw_(units_SNU, numbers_SNU, generators)
            torch.baddbmm(self.visible_SND, units_SNU, self.coupling_SUD, out=drawn_SND)
            notes_SND = draw_(drawn_SND, numbers_SND, generators)
        return notes_SND


def draw_(logits: Tensor, numbers: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """Replace logits by random zeros and ones, in place: 1 with probability sigmoid(logit).

    Args:
        logits: of shape (S, ...).
        numbers: of the same shape; overwritten by the random numbers of each member's generator.
        generators: S of them.
    """
    for row, generator in zip(numbers, generators, strict=True):
        row.uniform_(generator=generator)
    # p - u is in (-1, 1]; rounded up it is 1 if u < p and 0 otherwise, and a NaN stays a NaN.
    return logits.sigmoid_().sub_(numbers).ceil_()
