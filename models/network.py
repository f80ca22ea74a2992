"""The whole network of a trial, or of a stack of trials: core, output model and techniques, for data of a given width.

Step t is predicted from h_{t-1}. The first step of a piece is predicted from h_0 alone, and is scored too.

Shape letters: S stacked trials, T time, B batch, D width of the data, H hidden, P parameters in a row, K values that
the core carries from step to step, of which the first H are the state.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.parameters import Parameters
from models.randomness import generator_for, uniform_like
from models.trial import Trial


class Network:
    """The networks of a stack of trials with their parameters, at their initial values.

    Args:
        trial: the configuration; or several of the same `Trial.shape`.
        frequency_D: frequency of each note or symbol in the training split; in (0, 1).
        dtype: of all parameters.
        device: of all parameters. They are drawn on the CPU, so that they are the same on every device.

    Raises:
        ValueError: the trials cannot be stacked, since their shapes differ.
    """

    def __init__(
        self,
        trial: Trial | Sequence[Trial],
        frequency_D: Tensor,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ):
        self.trials = (trial,) if isinstance(trial, Trial) else tuple(trial)
        self.trial = self.trials[0]
        if any(other.shape != self.trial.shape for other in self.trials):
            raise ValueError("network: trials of a stack want one shape, see Trial.shape")
        width = len(frequency_D)
        self.core = self.trial.core_type(width, self.trial.hidden_size, self.trial.network_activation)
        self.output = self.trial.output_type(width, self.trial.hidden_size, self.trial.output_settings)
        self.parameters = Parameters(len(self.trials), self.core.shapes() | self.output.shapes(), dtype)
        active = 1.0 if self.output.symbols else float(frequency_D.sum())
        for s, each in enumerate(self.trials):
            generator, member = generator_for(each.stream, "initialisation"), self.parameters.member(s)
            self.core.initialise(member, generator, active)
            self.output.initialise(member, generator, frequency_D)
        self._constants = {k: value.to(device) for k, value in self.output.constants(frequency_D).items()}
        retentions = [_retention(each) for each in self.trials]
        self.leaking = tuple(retention is not None for retention in retentions)
        none_H = torch.zeros(self.trial.hidden_size)
        rows_SH = torch.stack([none_H if retention is None else retention for retention in retentions])
        self.retention_SH = rows_SH.to(device, dtype) if any(self.leaking) else None
        self.parameters.to(device)

    @classmethod
    def for_data(
        cls,
        trial: Trial | Sequence[Trial],
        train: Pieces,
        width: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> Self:
        """The networks of trials at their initial values, for a training split.

        Args:
            trial: the configuration; or several of the same `Trial.shape`.
            train: the training split; output models start from its frequencies.
            width: notes or symbols D.
            dtype: of all parameters.
            device: of all parameters.

        Raises:
            ValueError: the trials cannot be stacked, or the pieces have another width.
        """
        return cls(trial, frequencies(train, width).to(dtype), dtype, device)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep only these members of the stack, in this order."""
        self.trials = tuple(self.trials[s] for s in rows)
        self.leaking = tuple(self.leaking[s] for s in rows)
        self.parameters.keep(rows)
        if self.retention_SH is not None:
            self.retention_SH = self.retention_SH[list(rows)]

    def weights(self, s: int, rows_SP: Tensor) -> dict[str, Tensor]:
        """Copies of a member's weights, by name: its parameters from rows laid out like theta, and its retention."""
        kept = {name: value[s] for name, value in self.parameters.split(rows_SP).items()}
        if self.retention_SH is not None and self.leaking[s]:
            kept["retention"] = self.retention_SH[s]
        return {name: value.detach().to("cpu", copy=True) for name, value in kept.items()}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take over the weights of a trained network of the same trial, as `Training.weights` names them.

        Raises:
            ValueError: their names or shapes are another network's.
        """
        own = self.parameters.member(0)
        if self.retention_SH is not None:
            own["retention"] = self.retention_SH[0]
        if {name: value.shape for name, value in weights.items()} != {k: v.shape for k, v in own.items()}:
            raise ValueError(f"weights: not those of a network of {self.trial.variant}, {self.trial.hidden_size} units")
        for name, value in own.items():
            value.copy_(weights[name])

    def start(self, carried_SBK: Tensor | None, fresh: Tensor) -> Tensor:
        """The state before a chunk: h_0 in lanes in which a piece begins, the carried state (detached) in all others.

        Args:
            carried_SBK: the state after the previous chunk; None if a piece begins in every lane.
            fresh: lanes in which a piece begins, (B,) or (S, B).
        """
        initial_SK = self.parameters.by_name["initial_state"]
        if self.trial.initial_state == "zero":
            initial_SK = initial_SK.detach()
        initial_SBK = initial_SK.unsqueeze(1).expand(-1, fresh.shape[-1], -1)
        if carried_SBK is None:
            return initial_SBK.contiguous()
        return torch.where(fresh.unsqueeze(-1), initial_SBK, carried_SBK.detach())

    def states(
        self,
        data: Tensor,
        start_SBK: Tensor,
        dropout: Sequence[torch.Generator] | None = None,
        unpadded: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """h_0 ... h_T of a chunk, (S, T + 1, B, H), of which [:, :-1] are used to predict; and the carried (S, B, K).

        Args:
            data: values (S, T, B, D) or symbols (S, T, B).
            start_SBK: the values carried into the chunk; the first H are h_0.
            dropout: random numbers for dropout of the inputs; None outside of training.
            unpadded: True for steps that are not padding, (T, B) or (S, T, B); None if there is no padding.
        """
        rate = self.trial.input_dropout
        if dropout is not None and rate > 0 and data.is_floating_point():
            data = drop(data, rate, dropout)
        states_STBH, carried_SBK = self.core.padded_states(
            self.parameters.by_name, data, start_SBK, self.retention_SH, unpadded
        )
        h0_SBH = start_SBK[..., : self.trial.hidden_size]
        return torch.cat([h0_SBH.unsqueeze(1), states_STBH], dim=1), carried_SBK

    @property
    def named(self) -> dict[str, Tensor]:
        """The tensors that an output model computes with, by name: parameters, and constants of its data."""
        return self.parameters.by_name | self._constants

    def log_likelihood(
        self, states_STBH: Tensor, data: Tensor, dropout: Sequence[torch.Generator] | None = None
    ) -> Tensor:
        """Log-probability of each step's data given the state before it, nats, shape (S, T, B)."""
        if dropout is not None and self.trial.output_dropout > 0:
            states_STBH = drop(states_STBH, self.trial.output_dropout, dropout)
        return self.output.log_likelihood(self.named, states_STBH, data)

    def cost(
        self,
        states_STBH: Tensor,
        data: Tensor,
        dropout: Sequence[torch.Generator],
        chains: Sequence[torch.Generator],
        particles: Tensor | None,
    ) -> Tensor:
        """The cost of each step that training minimises, (S, T, B): `Output.cost`, with dropout of the states."""
        if self.trial.output_dropout > 0:
            states_STBH = drop(states_STBH, self.trial.output_dropout, dropout)
        return self.output.cost(self.named, states_STBH, data, chains, particles)

    def right(self, states_STBH: Tensor, data: Tensor) -> Tensor | None:
        """Whether the most likely value of each step is right, (S, T, B); None if the output model defines none."""
        return self.output.right(self.named, states_STBH, data)

    def sample(self, states_STBH: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """One sample of every step's data given the state before it; one generator for each member."""
        return self.output.sample(self.named, states_STBH, generators)


def _retention(trial: Trial) -> Tensor | None:
    generator = generator_for(trial.stream, "retention")
    for technique in trial.techniques:
        retention_H = technique.retention(trial.hidden_size, generator)
        if retention_H is not None:
            if retention_H.shape != (trial.hidden_size,) or not ((retention_H >= 0) & (retention_H < 1)).all():
                raise ValueError(f"retention: {technique.title} wants {trial.hidden_size} numbers in [0, 1)")
            return retention_H
    return None


def drop(values: Tensor, rate: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Dropout: each value becomes 0 with probability `rate`, else is divided by 1 - rate; one generator per member."""
    return values * (uniform_like(values, generators) >= rate) / (1 - rate)
