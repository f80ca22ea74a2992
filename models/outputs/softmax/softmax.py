"""One symbol of a vocabulary: P(w) = exp(z_w) / sum_k exp(z_k), z = b + W h_{t-1}.

Sections 3.3 and 4.2 of arXiv:1212.0901. This is the full softmax, to which the class-factorised one (`classes.py`) is
compared.

Initialisation: W normal with standard deviation 1/sqrt(H), b the log-frequency of each symbol in train.

Shape letters: S stacked trials, T time, N steps in a row, B lanes, D width of the data, H hidden.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from models.outputs.base import Output, affine
from models.outputs.softmax.cross_entropy import symbol_log_likelihood


class Softmax(Output):
    """One of `width` symbols, given the state."""

    name: ClassVar[str] = "softmax"
    symbols: ClassVar[bool] = True
    static_shapes: ClassVar[bool] = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The matrix from states to symbols, and a bias for each symbol."""
        return {"output_weight": (self.hidden_size, self.width), "output_bias": (self.width,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Small random weights; biases at the log-frequencies of the symbols."""
        parameters["output_weight"].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        parameters["output_bias"].copy_(frequency_D.log())

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """z_w - logsumexp(z), nats for each symbol."""
        weight, bias = parameters["output_weight"], parameters["output_bias"]
        return symbol_log_likelihood(states_STBH.flatten(1, 2), weight, bias, data.flatten(1)).view(data.shape)

    def right(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """Whether the most likely symbol (the first one if tied) is the true one."""
        return affine(parameters, states_STBH).argmax(-1) == data

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Draw a symbol for every state."""
        logits_STBD = affine(parameters, states_STBH)
        members = zip(logits_STBD.flatten(1, 2), generators, strict=True)
        return torch.stack([draw(*member) for member in members]).view(states_STBH.shape[:3])


def draw(logits_ND: Tensor, generator: torch.Generator) -> Tensor:
    """Draw one column for every row, with the probabilities softmax(logits): (N,)."""
    return torch.multinomial(torch.softmax(logits_ND, dim=-1), 1, generator=generator).squeeze(1)
