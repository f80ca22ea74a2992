"""The parameters of a stack as one matrix with a row for each member, and by name as views of that matrix.

With one flat row for each member, clipping, updates and snapshots are row operations: each is one pass over contiguous
memory, whatever the number of parameter tensors.

Shape letters: S stacked trials, P parameters of one member in a row.
"""

from collections.abc import Mapping, Sequence
from math import prod

import torch
from torch import Tensor


class Parameters:
    """Values and gradient of all parameters of a stack.

    Attributes:
        theta_SP: the values, one row for each member.
        gradient_SP: the gradient in the same layout, written by `differentiate`.
        by_name: each parameter with the S axis first, a leaf of the graph that shares theta's memory.
    """

    def __init__(self, members: int, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype = torch.float32):
        self.shapes = dict(shapes)
        size = sum(prod(shape) for shape in shapes.values())
        self._hold(torch.zeros(members, size, dtype=dtype))

    def _hold(self, theta_SP: Tensor) -> None:
        self.theta_SP, self.gradient_SP = theta_SP, torch.zeros_like(theta_SP)
        # detach makes each view a leaf of the graph.
        self.by_name = {name: value.detach().requires_grad_() for name, value in self.split(theta_SP).items()}
        self._gradients = self.split(self.gradient_SP)

    def split(self, rows_SP: Tensor) -> dict[str, Tensor]:
        """The named parts of a matrix laid out like theta, as views."""
        parts, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            parts[name] = rows_SP[:, start:stop].view(len(rows_SP), *shape)
            start = stop
        return parts

    def differentiate(self, cost: Tensor) -> None:
        """Write the gradient of a cost into `gradient_SP`; zeros for parameters that the cost does not depend on."""
        gradients = torch.autograd.grad(cost, list(self.by_name.values()), allow_unused=True)
        for part, gradient in zip(self._gradients.values(), gradients, strict=True):
            if gradient is None:
                part.zero_()
            else:
                part.copy_(gradient)

    def member(self, s: int) -> dict[str, Tensor]:
        """The parameters of one member, without the S axis, outside the graph."""
        return {name: value.detach()[s] for name, value in self.by_name.items()}

    def to(self, device: torch.device | str) -> None:
        """Move everything to a device; earlier views by name no longer share its memory."""
        if self.theta_SP.device != torch.device(device):
            self._hold(self.theta_SP.to(device))

    def keep(self, rows: Sequence[int]) -> None:
        """Keep only these members of the stack, in this order."""
        self._hold(self.theta_SP[list(rows)])
