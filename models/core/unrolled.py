"""A core with all that it carries from step to step, and the gradients in it: what diagnostics ask.

By default the steps are taken one by one under autograd, which is slower than the scan and asks no more of a core than
its equations. A core that knows the gradients of what it carries by a formula says so (`Core.unrolled`).

Shape letters: S stacked trials, T time, B batch, K values that are carried on, G values that a step computes of each
lane.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor


class Unrolled(Protocol):
    """A core on given inputs."""

    @property
    def carried_STBK(self) -> Tensor:
        """What is carried before the first step and after each, T + 1 of them."""

    def carried_gradients(self, d_last_SBK: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients in all that is carried, (S, T + 1, B, K), and in the projected inputs, (S, T, B, G).

        Args:
            d_last_SBK: that in what is carried after the last step, on which alone the cost depends.
        """


class StepByStep:
    """Any core, under autograd.

    Args:
        step: (projected inputs of a step, what is carried before) -> what is carried after it.
        pre_STBG: projected inputs.
        start_SBK: what is carried before the first step.
    """

    def __init__(self, step: Callable[[Tensor, Tensor], Tensor], pre_STBG: Tensor, start_SBK: Tensor):
        self._pre_STBG = pre_STBG.detach().requires_grad_()
        self._path = [start_SBK.detach().requires_grad_()]
        with torch.enable_grad():
            for pre_SBG in self._pre_STBG.unbind(1):
                self._path.append(step(pre_SBG, self._path[-1]))
        self.carried_STBK = torch.stack([carried.detach() for carried in self._path], dim=1)

    def carried_gradients(self, d_last_SBK: Tensor) -> tuple[Tensor, Tensor]:
        """By one pass back through the graph, which is then gone."""
        wanted = [*self._path, self._pre_STBG]
        *d_path, d_pre_STBG = torch.autograd.grad(self._path[-1], wanted, d_last_SBK, materialize_grads=True)
        return torch.stack(d_path, dim=1), d_pre_STBG
