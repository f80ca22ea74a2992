"""The tensors of a checkpoint: copied from a run, and put back into one.

What the numbers to come depend on lies in rows, a member a row, and in generators, one a member; each has the name that
it has in a checkpoint. What the names are: `progress.Checkpoint`.

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
    """Where the tensors of one member are.

    Attributes:
        trial: the member's.
        rows: its rows by name, (1, ...), in the memory that the run goes on in.
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
        """That of the member s.

        Args:
            trial: the member's.
            s: its place.
            rows: of all members, the S axis first.
            generators: of all members.
        """
        mine = {name: row[s : s + 1] for name, row in rows.items()}
        return cls(trial, mine, {name: its[s] for name, its in generators.items()})

    def copied(self) -> dict[str, Tensor]:
        """The tensors, in memory of their own on the processor."""
        return {name: value.to("cpu", copy=True) for name, value in self._tensors().items()}

    def put_back(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from the tensors of a checkpoint.

        Raises:
            CheckpointError: they have other names, shapes or types than the member's.
        """
        if _kinds(tensors) != _kinds(self._tensors()):
            raise CheckpointError(f"checkpoint: its tensors are not those of {self.trial.variant}")
        # Copied into memory of our own: a file's tensors may lie anywhere, and a product add in another order there.
        for name, row in self.rows.items():
            row.copy_(tensors[name])
        for name, generator in self.generators.items():
            generator.set_state(tensors[name].clone())

    def _tensors(self) -> dict[str, Tensor]:
        return {**self.rows, **{name: generator.get_state() for name, generator in self.generators.items()}}


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in tensors.items()}
