"""A rung of a search by successive halving: many trials are trained for few epochs, and the best are trained on.

Two trials that differ only in `epochs` are one training that ends earlier or later. The longer trial continues from the
checkpoint at the end of the shorter one, and has bit for bit the result that it has from its own start. Without that
checkpoint it is trained from its start. So a rung saves time and changes no result.

What this does not do: say which trials are trained on, or for how many epochs (`search.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from models.trial import Trial


@dataclass(frozen=True)
class Rung:
    """How the trials of a stage continue shorter ones, and which of them longer trials may continue.

    Attributes:
        grows_from: for a trial's key, the epochs of the shorter trial that it continues.
        keeps: keys of the trials whose last checkpoint is kept in the store, for longer trials.
        label: name of the stage for people.
    """

    grows_from: Mapping[str, int] = field(default_factory=dict)
    keeps: frozenset[str] = frozenset()
    label: str = "search"

    def shorter(self, trial: Trial) -> Trial | None:
        """The shorter trial that this one continues; None if it starts by itself.

        Raises:
            ValueError: the shorter trial does not have fewer epochs.
        """
        epochs = self.grows_from.get(trial.key)
        if epochs is None:
            return None
        if epochs >= trial.epochs:
            raise ValueError(f"rung: a trial of {trial.epochs} epochs goes on from one with fewer, got {epochs}")
        return replace(trial, epochs=epochs)

    def to_json(self, trials: Iterable[Trial]) -> dict[str, Any]:
        """The part of the rung that concerns these trials, as JSON values."""
        keys = {trial.key for trial in trials}
        grows_from = {key: epochs for key, epochs in self.grows_from.items() if key in keys}
        return {"grows_from": grows_from, "keeps": sorted(self.keeps & keys)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The rung that `to_json` wrote."""
        return cls(dict(values["grows_from"]), frozenset(values["keeps"]))
