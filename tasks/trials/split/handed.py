"""What the worker hands to the other processes that train its trial, in a folder that its user alone can enter.

handed.json             everything but the checkpoint's tensors
tensors.safetensors     of the checkpoint, if there is one
meeting                 by which the ranks find each other (`torch.distributed.FileStore`)
ready-N, said-N         rank N has read all this; what it says, if it fails
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import distributed

from models.training.progress import Checkpoint
from models.training.updates.ranks import Ranks
from models.trial import Trial

SUM_SECONDS = 600.0
"""Seconds that a rank waits for the others at most. One may write a checkpoint into a slow store meanwhile."""


@dataclass(frozen=True)
class Handed:
    """What every rank knows.

    Attributes:
        folder: that has all this.
        store: address of the store.
        trial: to train.
        checkpoint: to continue from; None to train from the start.
        device: of rank 0; the others take the GPUs after it.
        count: of ranks.
        threads: of torch in each process.
    """

    folder: Path
    store: str
    trial: Trial
    checkpoint: Checkpoint | None
    device: torch.device
    count: int
    threads: int

    def write(self) -> None:
        """Write it for the other ranks."""
        values = {
            "store": self.store,
            "trial": self.trial.to_json(),
            "checkpoint": None if self.checkpoint is None else self.checkpoint.to_json(),
            "device": str(self.device),
            "count": self.count,
            "threads": self.threads,
        }
        if self.checkpoint is not None:
            save_file(dict(self.checkpoint.tensors), self.folder / "tensors.safetensors")
        (self.folder / "handed.json").write_text(json.dumps(values))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What `write` wrote there."""
        values = json.loads((folder / "handed.json").read_text())
        saved = values.pop("checkpoint")
        checkpoint = None if saved is None else Checkpoint.from_json(saved, load_file(folder / "tensors.safetensors"))
        trial, device = Trial.from_json(values.pop("trial")), torch.device(values.pop("device"))
        return cls(folder, trial=trial, checkpoint=checkpoint, device=device, **values)

    def of_rank(self, number: int) -> Self:
        """The same for a rank: it computes on a GPU of its own, or on the processor.

        Raises:
            ValueError: this process does not see so many GPUs.
        """
        if self.device.type != "cuda":
            return self
        place = (self.device.index or 0) + number
        if place >= (seen := torch.cuda.device_count()):
            raise ValueError(f"a trial on {self.count} processes wants a GPU for each: this worker sees {seen}")
        return replace(self, device=torch.device("cuda", place))

    def meet(self, number: int) -> Ranks:
        """Join the other ranks.

        Raises:
            RankLostError: not all of them came in time.
        """
        store = distributed.FileStore(str(self.folder / "meeting"), self.count)
        return Ranks.join(store, number, self.count, self.device, SUM_SECONDS)

    def ready(self, number: int) -> Path:
        """The file that a rank makes when it is about to join the others."""
        return self.folder / f"ready-{number}"

    def said(self, number: int) -> Path:
        """The file with a rank's standard error."""
        return self.folder / f"said-{number}"
