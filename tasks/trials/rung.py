"""A rung of a search by successive halving: many trials are trained for few epochs, and the best go on for more.

Two trials that are equal but for `epochs` are one training, ended earlier or later. The longer one goes on from the
checkpoint at the end of the shorter one, and is the same to the bit as from its own start. Without that checkpoint it
is trained from its start: a rung saves time, and changes no result.

What this does not do: say which trials go on, or how far (`search.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from models.trial import Trial


@dataclass(frozen=True)
class Rung:
    """How the trials of a stage hang together with shorter and longer ones; each trial by its key.

    Attributes:
        grows_from: epochs of the shorter trial from whose end a trial goes on.
        keeps: the trials whose end is kept in the store, for longer ones to go on from.
        label: what the stage is called for people.
    """

    grows_from: Mapping[str, int] = field(default_factory=dict)
    keeps: frozenset[str] = frozenset()
    label: str = "search"

    def shorter(self, trial: Trial) -> Trial | None:
        """The trial from whose end this one goes on, None where it has a start of its own.

        Raises:
            ValueError: it has not fewer epochs.
        """
        epochs = self.grows_from.get(trial.key)
        if epochs is None:
            return None
        if epochs >= trial.epochs:
            raise ValueError(f"rung: a trial of {trial.epochs} epochs goes on from one with fewer, got {epochs}")
        return replace(trial, epochs=epochs)

    def to_json(self, trials: Iterable[Trial]) -> dict[str, Any]:
        """What of it is of these trials, as JSON values."""
        keys = {trial.key for trial in trials}
        grows_from = {key: epochs for key, epochs in self.grows_from.items() if key in keys}
        return {"grows_from": grows_from, "keeps": sorted(self.keeps & keys)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The rung that `to_json` wrote."""
        return cls(dict(values["grows_from"]), frozenset(values["keeps"]))
