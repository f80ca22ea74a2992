"""An unrolled core: all values carried from step to step, and gradients in them, for the diagnostics.

By default the steps are run one by one under autograd. This is slower than the scan, but needs only the core's
equations (`Core.step`). A core with a faster method overrides `Core.unrolled`.

Shape letters: S stacked trials, T time, B batch, K values that are carried from step to step, G values that a step
computes for each lane.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor


class Unrolled(Protocol):
    """A core run over given inputs."""

    @property
    def carried_STBK(self) -> Tensor:
        """The carried values before the first step and after each step: (S, T + 1, B, K)."""

    def carried_gradients(self, d_last_SBK: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients in all carried values, (S, T + 1, B, K), and in the projected inputs, (S, T, B, G).

        Args:
            d_last_SBK: gradient in the last carried values, the only ones that the cost depends on directly.
        """


class StepByStep:
    """Any core, step by step under autograd.

    Args:
        step: (projected inputs of a step, carried values before it) -> carried values after it.
        pre_STBG: projected inputs.
        start_SBK: carried values before the first step.
    """

    def __init__(self, step: Callable[[Tensor, Tensor], Tensor], pre_STBG: Tensor, start_SBK: Tensor):
        self._pre_STBG = pre_STBG.detach().requires_grad_()
        self._path = [start_SBK.detach().requires_grad_()]
        with torch.enable_grad():
            for pre_SBG in self._pre_STBG.unbind(1):
                self._path.append(step(pre_SBG, self._path[-1]))
        self.carried_STBK = torch.stack([carried.detach() for carried in self._path], dim=1)

    def carried_gradients(self, d_last_SBK: Tensor) -> tuple[Tensor, Tensor]:
        """By one backward pass through the graph, which can be called only once."""
        wanted = [*self._path, self._pre_STBG]
        *d_path, d_pre_STBG = torch.autograd.grad(self._path[-1], wanted, d_last_SBK, materialize_grads=True)
        return torch.stack(d_path, dim=1), d_pre_STBG
