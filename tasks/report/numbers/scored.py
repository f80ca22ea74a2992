"""The sums of the test scores, as arrays: one row for each final trial, one column for each piece.

Shape letters: K final trials, Q pieces.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from infra.errors import CampaignError
from tasks.report.numbers.metrics import FloatArray

Place = tuple[int, int]
"""The study and the seed of a final trial; what two variants have at the same place is compared as a pair."""

_SUMS = ("log_likelihood", "accuracy", "union_accuracy", "success")
_ERROR = "log_likelihood_error"


def studies_in(places: Iterable[Place]) -> int:
    """How many studies some places are of."""
    return len({study for study, _ in places})


@dataclass(frozen=True, eq=False)
class ScoredPieces:
    """The sums of one corpus, ready to be resampled.

    Attributes:
        steps_Q: number of steps of each piece.
        trials: (variant, study, seed) of each final trial.
        sums: for each summed column, float64 (K, Q).
        errors_KQ: standard errors of the log-likelihoods, 0 where they are exact.
    """

    steps_Q: FloatArray
    trials: tuple[tuple[str, int, int], ...]
    sums: dict[str, FloatArray]
    errors_KQ: FloatArray

    @classmethod
    def from_frame(cls, pieces: pd.DataFrame) -> "ScoredPieces":
        """Take the rows of one corpus. Pieces that share a title are one piece.

        Raises:
            CampaignError: a trial was not scored on all the pieces, or on other numbers of steps.
        """
        if pieces.empty:
            return cls(np.zeros(0), (), {column: np.zeros((0, 0)) for column in _SUMS}, np.zeros((0, 0)))
        by_piece = pieces.groupby(["variant", "study", "seed", "piece"])[["steps", *_SUMS, _ERROR]].sum(min_count=1)
        table = by_piece.unstack("piece")
        steps_KQ = table["steps"].to_numpy(np.float64)
        for row, (variant, study, seed) in zip(steps_KQ, table.index, strict=True):
            if not np.array_equal(row, steps_KQ[0]):
                raise CampaignError(
                    f"{variant}, study {study}, seed {seed}: not scored once on the same test pieces as the others"
                )
        trials = tuple((str(variant), int(study), int(seed)) for variant, study, seed in table.index)
        sums = {column: table[column].to_numpy(np.float64) for column in _SUMS}
        return cls(steps_KQ[0], trials, sums, np.nan_to_num(table[_ERROR].to_numpy(np.float64)))

    def places(self, variant: str) -> dict[Place, int]:
        """The places at which a variant has scores, each with its row in the sums."""
        return self._places.get(variant, {})

    @cached_property
    def _places(self) -> dict[str, dict[Place, int]]:
        found: dict[str, dict[Place, int]] = {}
        for row, (variant, study, seed) in enumerate(self.trials):
            found.setdefault(variant, {})[study, seed] = row
        return found
