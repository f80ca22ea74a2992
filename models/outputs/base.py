"""What an output model is.

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


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of an output model: none here; a model that has some inherits from this."""

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
        ValueError: the settings are another model's.
    """

    name: ClassVar[str]
    symbols: ClassVar[bool]
    """True where a step is one symbol, False where it is a vector of `width` values."""
    answers: ClassVar[bool] = False
    """True where only the last value of such a vector is predicted, a real number; else all are zeros and ones."""
    estimated: ClassVar[bool] = False
    """True where the log-likelihood is an estimate; such a model has a `cost` of its own."""
    steady: ClassVar[bool] = False
    """True where the operations of `cost` and their shapes do not depend on values, on a GPU: it can be recorded."""
    settings_type: ClassVar[type[Settings]] = Settings
    """What `settings` is an instance of: a model with hyper-parameters narrows the field to that type."""
    width: int
    hidden_size: int
    settings: Settings = Settings()

    def __post_init__(self) -> None:
        if type(self.settings) is not self.settings_type:
            wanted = self.settings_type.__qualname__
            raise ValueError(f"output_settings: wants {wanted} for {self.name}, got {self.settings!r}")

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters of one member."""

    @abstractmethod
    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Fill the parameters of one member in place; `frequency_D` is how often each value is on in train."""

    def constants(self, frequency_D: Tensor) -> dict[str, Tensor]:
        """What the model takes from train and does not learn, the same for all members, without the S axis: nothing.

        What is here comes to `log_likelihood` and `sample` among the parameters.
        """
        return {}

    @abstractmethod
    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """Natural logarithm of the probability of each step's data, shape (S, T, B)."""

    def particles(self, members: int, like: Tensor) -> Tensor | None:
        """What training keeps from one `cost` to the next beside the parameters, as it starts; None for nothing.

        Args:
            members: S.
            like: its type and device are taken.
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
        """What training makes small, (S, T, B): -log P, or a value whose gradient estimates that of -log P.

        Args:
            parameters, states_STBH, data: as for the log-likelihood.
            generators: one a member; not used where the likelihood is exact.
            particles: of `particles`, changed in place.
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
        """Log-likelihoods and their standard errors, each (S, T, B); errors of 0 where they are exact.

        Args:
            parameters, states_STBH, data: as for the log-likelihood.
            effort: what an estimate may cost.
            generators: one a member.
        """
        exact = self.log_likelihood(parameters, states_STBH, data)
        return exact, torch.zeros_like(exact)

    def right(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor | None:
        """Whether the most likely symbol is the one that came, shape (S, T, B); None where a step is many values."""
        if not self.symbols:
            return None
        every = [self.log_likelihood(parameters, states_STBH, torch.full_like(data, k)) for k in range(self.width)]
        return torch.stack(every).argmax(0) == data

    @abstractmethod
    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """One draw for every state: (S, T, B, D) zeros and ones, or (S, T, B) symbols; a generator a member."""
