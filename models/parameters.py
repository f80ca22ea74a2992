"""The parameters of a stack as one matrix, a member a row, and by name as views of it.

One flat row a member makes clipping, updates and snapshots row operations: whatever the number of tensors,
each is one pass over contiguous memory.

Shape letters: S stacked trials, P parameters of one member in a row.
"""

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor


class Parameters:
    """Values and gradient of all parameters of a stack.

    Attributes:
        theta_SP: the values, one member a row.
        gradient_SP: the gradient, in the same places; `backward()` adds to it.
        by_name: each parameter with the S axis first, a leaf of the graph that shares theta's memory.
    """

    def __init__(self, members: int, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype = torch.float32):
        self.shapes = dict(shapes)
        size = sum(prod(shape) for shape in shapes.values())
        self.theta_SP = torch.zeros(members, size, dtype=dtype)
        self.gradient_SP = torch.zeros(members, size, dtype=dtype)
        self.by_name: dict[str, Tensor] = {}
        values, gradients = self.split(self.theta_SP), self.split(self.gradient_SP)
        for name, value in values.items():
            # detach: a view that is a leaf, so that its gradient lands in the buffer below.
            self.by_name[name] = value.detach().requires_grad_()
            self.by_name[name].grad = gradients[name]

    def split(self, rows_SP: Tensor) -> dict[str, Tensor]:
        """The named parts of a matrix laid out like theta, as views."""
        parts, start = {}, 0
        for name, shape in self.shapes.items():
            stop = start + prod(shape)
            parts[name] = rows_SP[:, start:stop].view(-1, *shape)
            start = stop
        return parts

    def member(self, s: int) -> dict[str, Tensor]:
        """The parameters of one member, without the S axis, outside the graph."""
        return {name: value.detach()[s] for name, value in self.by_name.items()}
