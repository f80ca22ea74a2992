"""One real value of known spread: y ~ N(b + w h_{t-1}, deviation^2), of a step (x_1, ..., x_{D-1}, y).

The squared error as a likelihood, for sequences that end with a number to be found: the other values of a step are
read and never predicted. Its logarithm is in nats of a density, so that it may be over zero; exact is
-log(deviation sqrt(2 pi)).

Initialisation: b the mean of y in train, w normal with standard deviation 0.1/sqrt(H), since a far guess costs much.

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
"""A guess that is off by less is right: Hochreiter & Schmidhuber (1997), section 5.4, for targets in [0, 1]."""


@dataclass(frozen=True)
class GaussianSettings(Settings):
    """The standard deviation, which is not learned: it sets what an error costs, and so the scale of the gradient."""

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
    steady: ClassVar[bool] = True
    answers: ClassVar[bool] = True
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
        """Whether the mean is off by less than `TOLERANCE`."""
        return self._error(parameters, states_STBH, data).abs() < TOLERANCE

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """A value for every state, in the last place; the others, of which nothing is said, are zero."""
        mean = affine(parameters, states_STBH)
        noise = torch.stack(
            [torch.empty_like(row).normal_(generator=its) for row, its in zip(mean, generators, strict=True)]
        )
        return torch.nn.functional.pad(mean + self.settings.deviation * noise, (self.width - 1, 0))

    def _error(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        return data[..., -1] - affine(parameters, states_STBH).squeeze(-1)
