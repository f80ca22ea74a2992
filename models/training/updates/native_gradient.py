"""The cost of a chunk and its gradient by compiled code: one call for the forward pass, one for the backward pass.

Between the calls, the penalties of the techniques are computed in Python as usual. The memory of states and gradients
is reused from chunk to chunk, since new memory pages cost as much as a small scan.

Shape letters: S stacked trials, here 1, T time, B batch, H hidden, K carried numbers a lane, N scored steps, P
parameters in a row.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.data.chunks import Chunk
from models.data.stacked import StackedChunk
from models.native_chunk import NativeChunk
from models.network import Network, drop
from models.training.updates.gradient import price
from models.training.updates.stacked_techniques import StackedTechniques


class NativeGradient:
    """A `Gradient` for the networks that `native_chunk.serves` accepts.

    Args:
        network: of one trial.
        techniques: give the penalties on states.
        dropout: random numbers for dropout, one generator.
    """

    def __init__(self, network: Network, techniques: StackedTechniques, dropout: Sequence[torch.Generator]):
        self._native, self._techniques, self._dropout = NativeChunk(network), techniques, dropout
        self._trial, self._leaking = network.trial, network.retention_SH is not None
        self._like = network.parameters.theta_SP
        self._kept: dict[str, Tensor] = {}

    def forward(self, chunk: Chunk | StackedChunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """The forward pass, in one call.

        Raises:
            ValueError: a symbol is not in the vocabulary, or the data have another type or width than the network's.
        """
        if not isinstance(chunk, Chunk):
            raise TypeError("native gradient: wants the chunk of one trial")
        (T, B), N = chunk.unpadded_TB.shape, chunk.scored_steps
        self._chunk = chunk
        self._path_STBH, self._d_path_STBH = self._room("path", T + 1, B), self._room("d_path", T + 1, B)
        onward_SBK = self._native.prepare(
            chunk,
            carried_SBK,
            path=self._path_STBH,
            d_path=self._d_path_STBH,
            pre=self._room("pre", T, B),
            phi=self._room("phi", T, B) if self._leaking else None,
            scored=None if N == T * B else chunk.scored_N,
            **self._dropped(chunk.inputs, N),
        )
        self._native.run("forward")
        return self._like.new_tensor([self._native.nll]), onward_SBK

    def _dropped(self, inputs: Tensor, steps: int) -> dict[str, Tensor | None]:
        """The inputs after dropout, and the dropout factors of the states before the scored steps."""
        found: dict[str, Tensor | None] = {"factors": None}
        if self._trial.input_dropout > 0 and inputs.is_floating_point():
            found["inputs"] = drop(inputs, self._trial.input_dropout, self._dropout)
        if self._trial.output_dropout > 0:
            ones = self._like.new_ones(1, 1, steps, self._trial.hidden_size)
            found["factors"] = drop(ones, self._trial.output_dropout, self._dropout)
        return found

    def backward(self, divisor: Tensor) -> Tensor:
        """The backward pass, in one call, after adding the gradient of the techniques' penalties."""
        if self._techniques.penalise:
            states_STBH = self._path_STBH[:, 1:].detach().requires_grad_()
            price_S = price(self._techniques, self._chunk, states_STBH)
            if price_S is not None:
                self._d_path_STBH[:, 1:] += torch.autograd.grad(price_S.sum(), states_STBH)[0]
        return self._like.new_tensor([self._native.differentiate(float(divisor))])

    def _room(self, name: str, steps: int, lanes: int) -> Tensor:
        """Memory for so many steps and lanes, uninitialised and reused."""
        size = steps * lanes * self._trial.hidden_size
        if name not in self._kept or self._kept[name].numel() < size:
            self._kept[name] = self._like.new_empty(1, steps, lanes, self._trial.hidden_size)
        kept = self._kept[name]
        same = kept.shape[1] == steps and kept.shape[2] == lanes
        return kept if same else kept.view(-1)[:size].view(1, steps, lanes, -1)
