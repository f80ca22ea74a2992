"""One real value with a fixed standard deviation: y ~ N(b + w h_{t-1}, deviation^2), in a step (x_1, ..., x_{D-1}, y).

This is the squared error as a likelihood, for sequences that end with a number to predict. The other values of a step
are inputs only. The log-likelihood is the logarithm of a density, in nats, so it can be positive; its largest value is
-log(deviation sqrt(2 pi)).

Initialisation: b is the mean of y in train, w is normal with standard deviation 0.1/sqrt(H), since large errors are
costly.

Shape letters: S stacked trials, T time, B batch, D values, H hidden.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, log, pi
from typing import ClassVar

import torch
from torch import Tensor

from models.outputs.base import Output, Settings, affine

TOLERANCE = 0.04
"""A prediction with a smaller error is right: Hochreiter & Schmidhuber (1997), section 5.4, for targets in [0, 1]."""


@dataclass(frozen=True)
class GaussianSettings(Settings):
    """The standard deviation, which is not learned; it sets the cost of an error, and so the scale of the gradient."""

    deviation: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.deviation < inf:
            raise ValueError(f"deviation: wants a finite number over 0, got {self.deviation!r}")


def gaussian_log_density(error: Tensor, deviation: float) -> Tensor:
    """-error^2 / (2 deviation^2) - log(deviation sqrt(2 pi)), nats.

    >>> gaussian_log_density(torch.tensor([0.0, 0.1]), 0.1)
    tensor([1.3836, 0.8836])
    """
    return -(error**2) / (2 * deviation**2) - log(deviation) - log(2 * pi) / 2


@dataclass(frozen=True)
class Gaussian(Output):
    """The last value of each step, given the state."""

    name: ClassVar[str] = "gaussian"
    symbols: ClassVar[bool] = False
    static_shapes: ClassVar[bool] = True
    predicts_last_value: ClassVar[bool] = True
    settings_type: ClassVar[type[Settings]] = GaussianSettings
    settings: GaussianSettings = GaussianSettings()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The vector from states to the value, and a bias."""
        return {"output_weight": (self.hidden_size, 1), "output_bias": (1,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Small random weights; the bias at the mean."""
        parameters["output_weight"].normal_(0.0, 0.1 * self.hidden_size**-0.5, generator=generator)
        parameters["output_bias"].copy_(frequency_D[-1:])

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """log N(y; b + w h, deviation^2), nats of a density."""
        return gaussian_log_density(self._error(parameters, states_STBH, data), self.settings.deviation)

    def right(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """Whether the error of the mean is less than `TOLERANCE`."""
        return self._error(parameters, states_STBH, data).abs() < TOLERANCE

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """A sampled value for every state, in the last place; the other values, which are not modelled, are zero."""
        mean = affine(parameters, states_STBH)
        members = zip(mean, generators, strict=True)
        noise = torch.stack([torch.empty_like(row).normal_(generator=generator) for row, generator in members])
        return torch.nn.functional.pad(mean + self.settings.deviation * noise, (self.width - 1, 0))

    def _error(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        return data[..., -1] - affine(parameters, states_STBH).squeeze(-1)
