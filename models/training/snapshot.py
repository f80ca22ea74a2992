"""The tensors of a checkpoint: copied from a run, or restored into one.

Later numbers depend on tensors with a row for each member, and on generators, one for each member. Each has its name in
a checkpoint; `progress.Checkpoint` lists the names.

Shape letters: S stacked trials.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.training.progress import CheckpointError
from models.trial import Trial


@dataclass(frozen=True)
class Snapshot:
    """References to the tensors and generators of one member.

    Attributes:
        trial: of the member.
        rows: its rows by name, (1, ...), in the run's own memory.
        generators: its generators by name.
    """

    trial: Trial
    rows: Mapping[str, Tensor]
    generators: Mapping[str, torch.Generator]

    @classmethod
    def of(
        cls,
        trial: Trial,
        s: int,
        rows: Mapping[str, Tensor],
        generators: Mapping[str, Sequence[torch.Generator]],
    ) -> "Snapshot":
        """The snapshot of member s.

        Args:
            trial: of the member.
            s: index of the member.
            rows: of all members, with the S axis first.
            generators: of all members.
        """
        own = {name: row[s : s + 1] for name, row in rows.items()}
        return cls(trial, own, {name: of_members[s] for name, of_members in generators.items()})

    def copied(self) -> dict[str, Tensor]:
        """Copies of the tensors on the CPU."""
        return {name: value.to("cpu", copy=True) for name, value in self._tensors().items()}

    def put_back(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the tensors of a checkpoint.

        Raises:
            CheckpointError: names, shapes or types differ from the member's.
        """
        if _kinds(tensors) != _kinds(self._tensors()):
            raise CheckpointError(f"checkpoint: its tensors are not those of {self.trial.variant}")
        # Copied into the run's memory, since products may round differently at a file tensor's memory alignment.
        for name, row in self.rows.items():
            row.copy_(tensors[name])
        for name, generator in self.generators.items():
            generator.set_state(tensors[name].clone())

    def _tensors(self) -> dict[str, Tensor]:
        return {**self.rows, **{name: generator.get_state() for name, generator in self.generators.items()}}


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in tensors.items()}
