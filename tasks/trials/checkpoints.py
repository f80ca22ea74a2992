"""The checkpoint of a running trial in the store. A trial has at most one, and none once nobody can continue from it.

    checkpoints/<trial key>/<update>-<eight digits>/   progress.json  tensors.safetensors
    checkpoints/<trial key>.json                       pointer to the newest whole one

The pointer says which checkpoint is valid; it is swapped after the commit. The eight random digits separate two workers
that train the same trial. A checkpoint is not used if it is damaged, of another version, of another kernel of the
recurrence, or of another number of processes (`split/`). The trial is then trained from its start, to the same numbers.

The checkpoint of a trial's end is kept beside its record if a longer trial may continue from it (`rung.py`).
"""

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from safetensors import SafetensorError
from safetensors.torch import load, save

from infra.errors import IntegrityError, NotFoundError, StoreError
from infra.provenance import provenance
from infra.store import SCRATCH, Store, Token, read_json
from models.core import scan_kernel
from models.training.progress import Checkpoint, grown
from models.trial import Trial

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Saved:
    """A checkpoint, and the seconds of training up to it."""

    checkpoint: Checkpoint
    seconds: float


class Checkpoints:
    """The checkpoints of one trial.

    Args:
        store: the store of the checkpoints.
        trial: the configuration.
        shorter: the trial with fewer epochs, and otherwise equal, whose end this trial continues; None if this trial
            starts by itself.
        processes: that train the trial together.
    """

    def __init__(self, store: Store, trial: Trial, shorter: Trial | None = None, processes: int = 1):
        self._store, self._trial, self._key, self._processes = store, trial, trial.key, processes
        self._shorter = None if shorter is None else Checkpoints(store, shorter, processes=processes)
        self._folder = f"{SCRATCH}/{trial.key}"
        self._pointer = f"{self._folder}.json"
        self._may_be_there = True  # until a look has found none

    def load(self) -> Saved | None:
        """The trial's newest complete checkpoint, or else that of the shorter trial; None if neither can be used.

        Raises:
            StoreError: the store is out of reach.
        """
        try:
            return self._found() or self._grown()
        except (IntegrityError, NotFoundError, SafetensorError, ValueError, KeyError, TypeError) as error:
            self.unusable(error)
            return None

    def unusable(self, reason: Exception) -> None:
        """Write to the log that a checkpoint cannot be used, and remove it: it would be in the way of the next one.

        The checkpoint of the shorter trial is removed too, for either may be the damaged one.
        """
        _log.warning("trial %s starts anew, its checkpoint cannot be used: %s", self._key[:12], reason)
        self.clear()

    def save(self, checkpoint: Checkpoint, seconds: float) -> None:
        """Commit a checkpoint, point to it, and discard the one before it.

        If the store refuses, that is only a line in the log: the training is worth more than its checkpoint.
        """
        newest = f"{self._folder}/{checkpoint.progress.updates}-{secrets.token_hex(4)}"
        values = checkpoint.to_json() | {"seconds": seconds, "scan_body": scan_kernel()}
        if self._processes > 1:
            values |= {"processes": self._processes}
        files = {
            "progress.json": json.dumps(values, allow_nan=False).encode(),
            "tensors.safetensors": save(checkpoint.tensors),
        }
        self._may_be_there = True
        try:
            before, token = self._newest()
            self._store.commit(newest, files, kind="checkpoint", provenance=provenance())
            self._store.swap_pointer(self._pointer, {"newest": newest}, token)
            if before is not None:
                self._store.discard(before)
        except StoreError as error:
            _log.warning("trial %s goes on without a new checkpoint: %s", self._key[:12], error)

    def clear(self, *, keeping: bool = False) -> None:
        """Remove the pointer and all checkpoints, uncommitted objects of a killed worker too.

        The checkpoints of the shorter trial are removed as well; with `keeping` only those are. If `load` found no
        checkpoint and none was saved since, no request is sent for this trial's own.
        """
        if self._shorter is not None:
            self._shorter.clear()
        if keeping or not self._may_be_there:
            return
        try:
            self._store.discard_pointer(self._pointer)
            self._store.discard_all(self._folder)
        except StoreError as error:
            _log.warning("trial %s has left a checkpoint behind: %s", self._key[:12], error)

    def _found(self) -> Saved | None:
        # one request, which finds nothing for most trials; what a listing may lack costs time alone
        self._may_be_there = bool(self._store.objects(self._folder))
        newest = self._newest()[0] if self._may_be_there else None
        return None if newest is None else self._read(newest)

    def _grown(self) -> Saved | None:
        """The checkpoint of the shorter trial, made into one of this trial."""
        if self._shorter is None:
            return None
        shorter = self._shorter._trial
        if (found := self._shorter._found()) is None:
            _log.warning("trial %s starts anew: no end of its first %d epochs is kept", self._key[:12], shorter.epochs)
            return None
        return Saved(grown(found.checkpoint, shorter, self._trial), found.seconds)

    def _newest(self) -> tuple[str | None, Token]:
        value, token = self._store.read_pointer(self._pointer)
        newest = None if value is None else str(value.get("newest"))
        # It is discarded when its time has come: what lies elsewhere is none of this trial's.
        if newest is not None and not newest.startswith(f"{self._folder}/"):
            raise IntegrityError(f"{self._pointer} points to no checkpoint of the trial; delete it")
        return newest, token

    def _read(self, prefix: str) -> Saved:
        values = read_json(self._store.read(prefix, "progress.json"), prefix)
        seconds, kernel = float(values.pop("seconds")), values.pop("scan_body")
        if kernel != scan_kernel():
            raise ValueError(f"its scan was {kernel}, and here it is {scan_kernel()}: the bits would be neither's")
        if (count := values.pop("processes", 1)) != self._processes:
            raise ValueError(
                f"{count} processes trained it, and here are {self._processes}: the bits would be neither's"
            )
        tensors = load(self._store.read(prefix, "tensors.safetensors"))
        checkpoint = Checkpoint.from_json(values, tensors)
        if checkpoint.key != self._key:
            raise ValueError(f"it is of the trial {checkpoint.key}")
        return Saved(checkpoint, seconds)


def clear_checkpoints(store: Store, trials: Iterable[Trial]) -> None:
    """Remove the checkpoints of trials that nobody goes on from: one listing, and requests for what is there alone.

    What a killed flow leaves, `prefect run gc` finds. Where there are no trials, nothing is asked for.
    """
    if not (trials := list(trials)):
        return
    try:
        places = {item.path.split("/")[1].removesuffix(".json") for item in store.objects(SCRATCH)}
    except StoreError as error:
        _log.warning("checkpoints are left behind: %s", error)
        return
    for trial in trials:
        if trial.key in places:
            Checkpoints(store, trial).clear()
