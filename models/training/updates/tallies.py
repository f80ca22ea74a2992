"""Sums over the updates of an epoch, kept on the stack's device, so that no update waits for the device.

Shape letters: S stacked trials, F fields of a tally.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import torch
from torch import Tensor

_NORM = 3
"""Index of the gradient norm among the values that an update adds to a tally."""


@dataclass
class Tally:
    """Sums over the updates of one epoch, and the largest gradient norm.

    The sums are of log-likelihood in nats, scored steps, gradient norms, clipped gradients, and ratios of update to
    parameters.
    """

    updates: int = 0
    log_likelihood: float = 0.0
    steps: int = 0
    norms: float = 0.0
    clipped: int = 0
    ratios: float = 0.0
    largest: float = 0.0


class Tallies:
    """The tallies of a stack, on its device, with marks of members that have diverged.

    Attributes:
        diverged: (S,), True for a member that has diverged since these tallies were made.

    Args:
        members: initial tally of each member.
        device: of the stack.
    """

    def __init__(self, members: Sequence[Tally], device: torch.device | str = "cpu"):
        rows = [astuple(member) for member in members]
        sums_SF = torch.tensor(rows, dtype=torch.float64, device=device).view(len(rows), len(fields(Tally)))
        self._sums_FS = sums_SF.T.contiguous()
        self.diverged = torch.zeros(len(rows), dtype=torch.bool, device=device)

    def add(
        self, moving_S: Tensor, nll_S: Tensor, steps_S: Tensor, norm_S: Tensor, shrunk_S: Tensor, ratio_S: Tensor
    ) -> None:
        """Add an update of the moving members."""
        values = (moving_S, -nll_S, steps_S, norm_S, shrunk_S, ratio_S)
        values_FS = torch.where(moving_S, torch.stack([each.double() for each in values]), 0)
        self._sums_FS[:-1] += values_FS
        torch.maximum(self._sums_FS[-1], values_FS[_NORM], out=self._sums_FS[-1])

    def count(self, nll: float, steps: int, norm: float, shrunk: bool, ratio: float) -> None:
        """Add an update of the only member, on the CPU."""
        sums_F = self._sums_FS.numpy()[:, 0]  # shares the tensor's memory
        sums_F[:-1] += (1, -nll, steps, norm, shrunk, ratio)
        sums_F[-1] = max(sums_F[-1], norm)

    def copy_(self, other: "Tallies") -> None:
        """Copy the tallies of another stack with as many members."""
        self._sums_FS.copy_(other._sums_FS)
        self.diverged.copy_(other.diverged)

    def members(self) -> list[tuple[Tally, bool]]:
        """Each member's tally, and whether it has diverged; waits for the device."""
        rows = zip(self._sums_FS.T.tolist(), self.diverged.tolist(), strict=True)
        return [
            (Tally(int(updates), nats, int(steps), norms, int(cut), *rest), bad)
            for (updates, nats, steps, norms, cut, *rest), bad in rows
        ]
