"""The interface of an output model.

Shape letters: S stacked trials, T time, B batch, D width of the data, H hidden.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from models.data_kinds import Kind
from models.outputs.effort import Effort
from models.randomness import Draws

_RENAMED = {"answers": "predicts_last_value", "steady": "static_shapes"}


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of an output model. This base has none; models with hyper-parameters inherit from it."""

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """Hyper-parameters for a search trial."""
        return cls()


def affine(parameters: Mapping[str, Tensor], states_STBH: Tensor) -> Tensor:
    """b + W h for every state, shape (S, T, B, D), from `output_weight` (S, H, D) and `output_bias` (S, D)."""
    S, T, B, H = states_STBH.shape
    weight, bias = parameters["output_weight"], parameters["output_bias"]
    flat = torch.baddbmm(bias.unsqueeze(1), states_STBH.reshape(S, T * B, H), weight)
    return flat.view(S, T, B, -1)


@dataclass(frozen=True)
class Output(ABC):
    """The distribution of one step's data given a state, for data of `width` values or symbols.

    Raises:
        ValueError: the settings are those of another model.
    """

    name: ClassVar[str]
    symbols: ClassVar[bool]
    """True if a step is one symbol, False if it is a vector of `width` values."""
    predicts_last_value: ClassVar[bool] = False
    """True if only the last value of the vector, a real number, is predicted; otherwise all values are 0 or 1."""
    estimated: ClassVar[bool] = False
    """True if the log-likelihood can only be estimated; such a model overrides `cost`."""
    static_shapes: ClassVar[bool] = False
    """True if, on a GPU, operations and shapes of `cost` do not depend on values: a CUDA graph can record it."""
    settings_type: ClassVar[type[Settings]] = Settings
    """Type of `settings`; a model with hyper-parameters narrows the field to that type."""
    width: int
    hidden_size: int
    settings: Settings = Settings()

    def __init_subclass__(cls) -> None:
        for old, new in _RENAMED.items():
            if old in vars(cls):  # otherwise it would silently do nothing
                raise TypeError(f"{cls.__name__}: what was `{old}` of an output model is `{new}` now")

    def __post_init__(self) -> None:
        if type(self.settings) is not self.settings_type:
            wanted = self.settings_type.__qualname__
            raise ValueError(f"output_settings: wants {wanted} for {self.name}, got {self.settings!r}")

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one member."""

    @abstractmethod
    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Fill the parameters of one member in place; `frequency_D` is each note's or symbol's frequency in train."""

    def constants(self, frequency_D: Tensor) -> dict[str, Tensor]:
        """Constants computed from train and not learned, without the S axis, since all members share them; here none.

        They are passed to `log_likelihood` and `sample` among the parameters.
        """
        return {}

    @abstractmethod
    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """Natural logarithm of the probability of each step's data, shape (S, T, B)."""

    def particles(self, members: int, like: Tensor) -> Tensor | None:
        """The initial state of Markov chains that persist from one `cost` to the next; None for a model without any.

        Args:
            members: S.
            like: gives the type and the device.
        """
        return None

    def cost(
        self,
        parameters: Mapping[str, Tensor],
        states_STBH: Tensor,
        data: Tensor,
        generators: Sequence[torch.Generator],
        particles: Tensor | None = None,
    ) -> Tensor:
        """The cost that training minimises, (S, T, B): -log P, or a value whose gradient estimates that of -log P.

        Args:
            parameters, states_STBH, data: as for the log-likelihood.
            generators: one for each member; not used if the likelihood is exact.
            particles: from `particles`; changed in place.
        """
        return -self.log_likelihood(parameters, states_STBH, data)

    def estimate(
        self,
        parameters: Mapping[str, Tensor],
        states_STBH: Tensor,
        data: Tensor,
        effort: Effort,
        generators: Sequence[torch.Generator],
    ) -> tuple[Tensor, Tensor]:
        """Log-likelihoods and their standard errors, each (S, T, B); the errors are 0 for exact log-likelihoods.

        Args:
            parameters, states_STBH, data: as for the log-likelihood.
            effort: computational effort of an estimate.
            generators: one for each member.
        """
        exact = self.log_likelihood(parameters, states_STBH, data)
        return exact, torch.zeros_like(exact)

    def right(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor | None:
        """Whether the most likely symbol is the true one, shape (S, T, B); None if a step is a vector of values."""
        if not self.symbols:
            return None
        every = [self.log_likelihood(parameters, states_STBH, torch.full_like(data, k)) for k in range(self.width)]
        return torch.stack(every).argmax(0) == data

    @abstractmethod
    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """One sample for every state: (S, T, B, D) values, or (S, T, B) symbols; one generator for each member."""
