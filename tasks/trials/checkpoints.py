"""The checkpoint of a trial under way, in the store: one at a time, and none once nobody goes on from it.

    checkpoints/<trial key>/<update>-<eight digits>/   progress.json  tensors.safetensors
    checkpoints/<trial key>.json                       pointer to the newest whole one

The pointer is swapped after the commit, and decides; the eight random digits keep two workers apart that are at the
same trial. A checkpoint that cannot be used, because it is damaged or of another version, is as good as none: the
trial is then trained from its start, to the same numbers. So is one that another body of the scan has begun.

That of a trial's end is kept beside its record where a longer trial may go on from it (`rung.py`).
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
from models.core import scan_body
from models.training.progress import Checkpoint, grown
from models.trial import Trial

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Saved:
    """A checkpoint, and the seconds of training that it took to get there."""

    checkpoint: Checkpoint
    seconds: float


class Checkpoints:
    """The checkpoints of one trial.

    Args:
        store: where they are.
        trial: the configuration.
        shorter: the trial, equal but for fewer epochs, from whose end this one goes on, None where it has a start of
            its own.
    """

    def __init__(self, store: Store, trial: Trial, shorter: Trial | None = None):
        self._store, self._trial, self._key = store, trial, trial.key
        self._shorter = None if shorter is None else Checkpoints(store, shorter)
        self._folder = f"{SCRATCH}/{trial.key}"
        self._pointer = f"{self._folder}.json"
        self._may_be_there = True  # until a look has found none

    def load(self) -> Saved | None:
        """The newest whole one, or else that of the shorter trial; None where there is none that can be used.

        Raises:
            StoreError: the store is out of reach.
        """
        try:
            return self._found() or self._grown()
        except (IntegrityError, NotFoundError, SafetensorError, ValueError, KeyError, TypeError) as error:
            self.unusable(error)
            return None

    def unusable(self, reason: Exception) -> None:
        """Say in the log that a checkpoint was there, and remove it: it would be in the way of the next one.

        That of the shorter trial as well, for nobody knows whose it was.
        """
        _log.warning("trial %s starts anew, its checkpoint cannot be used: %s", self._key[:12], reason)
        self.clear()

    def save(self, checkpoint: Checkpoint, seconds: float) -> None:
        """Commit one, point to it, and discard the one before it.

        A store that refuses is a line in the log: the training is worth more than its checkpoint.
        """
        newest = f"{self._folder}/{checkpoint.progress.updates}-{secrets.token_hex(4)}"
        values = checkpoint.to_json() | {"seconds": seconds, "scan_body": scan_body()}
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
        """Remove the pointer and all that lies there, also what a killed worker left before it committed it.

        That of the shorter trial as well; with `keeping` that one alone. Where `load` found nothing and nothing was
        saved since, nothing is asked for.
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
        """That of the shorter trial as one of this."""
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
        seconds, body = float(values.pop("seconds")), values.pop("scan_body")
        if body != scan_body():
            raise ValueError(f"its scan was {body}, and here it is {scan_body()}: the bits would be neither's")
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
