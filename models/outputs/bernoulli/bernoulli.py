"""Independent notes: p_t = sigmoid(b_v + W_hv h_{t-1}).

Section 3.3 of arXiv:1212.0901; the plain RNN of arXiv:1206.6392. The notes of a frame are independent given the past;
NADE and the RBM also model their dependence.

Initialisation: W_hv is normal with standard deviation 1/sqrt(H). b_v is the log-odds of each note in train, so that
training starts from the count baseline and not from 61 nats.

Shape letters: S stacked trials, T time, B batch, D notes, H hidden.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from models.outputs.base import affine
from models.outputs.bernoulli.likelihood import bernoulli_log_likelihood
from models.outputs.logits import AffineLogits, LogitOutput, Product, bernoulli_curvature
from models.randomness import uniform_like


class Bernoulli(LogitOutput):
    """Independent notes, given the state."""

    name: ClassVar[str] = "bernoulli"
    symbols: ClassVar[bool] = False
    static_shapes: ClassVar[bool] = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The matrix from states to notes, and a bias for each note."""
        return {"output_weight": (self.hidden_size, self.width), "output_bias": (self.width,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Small random weights; biases at the log-odds of the notes."""
        parameters["output_weight"].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        parameters["output_bias"].copy_(torch.logit(frequency_D))

    def logits(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """Logits of every note, shape (S, T, B, D). `data` is ignored; NADE, with the same interface, needs it."""
        return affine(parameters, states_STBH)

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """sum_i v_i z_i - log(1 + e^{z_i}) with the logits z; accurate for every z; nats for each frame."""
        return bernoulli_log_likelihood(self.logits(parameters, states_STBH, data), data)

    def curvature(self, logits: Tensor) -> Product:
        """diag(p (1 - p))."""
        return bernoulli_curvature(logits)

    def linearised(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> AffineLogits:
        """By the formula of affine logits."""
        return AffineLogits(parameters, states_STBH)

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Each note on with its probability."""
        probability = torch.sigmoid(affine(parameters, states_STBH))
        return (uniform_like(probability, generators) < probability).to(probability.dtype)
