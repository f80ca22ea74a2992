"""The results of a campaign, which a report is made from: all measurements as tidy tables and plain dictionaries.

`tasks/publishing/collect.py` fills the tables from the records in the store; a report needs nothing else. What this
does not do: compute any statistic (`statistics.py`) or read a store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tasks.report.numbers.portrait import Portrait
from tasks.trials.continuation import Continuation

TRIAL_COLUMNS = (
    *("key", "corpus", "kind", "variant", "purpose", "status", "reason", "study", "seed"),
    *("hidden_size", "activation", "learning_rate", "techniques", "valid", "best_epoch", "updates", "epochs"),
    *("diverged_at", "stalled", "seconds", "parameters", "valid_first", "ended_early", "selected", "chosen_from"),
)
CURVE_COLUMNS = (
    *("key", "corpus", "variant", "update", "epoch", "learning_rate", "train", "valid"),
    *("gradient_norm", "clipped_share", "largest_norm", "update_ratio"),
)
DIAGNOSTIC_COLUMNS = ("key", "corpus", "variant", "moment", "epoch", "quantity", "index", "value")
PIECE_COLUMNS = (
    *("corpus", "variant", "key", "study", "seed", "piece", "steps"),
    *("log_likelihood", "accuracy", "union_accuracy", "log_likelihood_error", "success"),
)
COLUMNS = {
    "trials": TRIAL_COLUMNS,
    "curves": CURVE_COLUMNS,
    "diagnostics": DIAGNOSTIC_COLUMNS,
    "pieces": PIECE_COLUMNS,
}
"""The tables, and the columns that each has."""
_NUMBERS = frozenset(
    (
        *("study", "seed", "hidden_size", "learning_rate", "valid", "best_epoch", "updates", "epochs"),
        *("diverged_at", "seconds", "parameters", "valid_first"),
        *("update", "epoch", "train", "gradient_norm", "clipped_share", "largest_norm", "update_ratio"),
        *("index", "value", "steps", "log_likelihood", "accuracy", "union_accuracy", "log_likelihood_error", "success"),
    )
)
"""Columns of numbers in any of the tables."""


def _with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with numbers where they belong: a column of nothing, or of None alone, is else one of objects."""
    untyped = [name for name in frame.columns if name in _NUMBERS and frame[name].dtype == object]
    return frame.astype(dict.fromkeys(untyped, float)) if untyped else frame


@dataclass(frozen=True)
class Sampled:
    """The continuation that a network wrote, the stored bytes of its file, and the continuation of the piece itself.

    Attributes:
        continuation: of the network.
        data: the file.
        original: steps of the piece from its beginning, at most as many as were given and asked for; empty if the piece
            is not available.
    """

    continuation: Continuation
    data: bytes
    original: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Results:
    """The measurements of one campaign; any of its tables may be empty.

    Attributes:
        trials: one row for each trial, columns `TRIAL_COLUMNS`. `purpose` is `search` or `final`. `status` is
            `completed`, `diverged`, `untrained` or `failed`. `valid` is the best validation log-likelihood in nats per
            step, of the epoch `best_epoch`; higher is better, NaN if there is none. `stalled`: Hessian-free
            optimization ended it, since it found no better point. `techniques` holds the hyper-parameters, letter ->
            {name: value}. `selected` marks the search trial that a study chose for its variant, and `chosen_from` of a
            final trial is that trial's key. A draw of the search is one row, of the longest of its trials.
            `ended_early`: it did not come to the last rung. `valid_first` is its best validation score within the
            epochs of the first rung, which all draws have had; NaN if it did not complete that rung. `study` counts
            the repetitions of the whole comparison from 0, each with its own draws, choice and fresh seeds. Final
            trials of different variants with the same `study` and `seed` are compared as a pair.
        curves: one row for each epoch of a final trial, columns `CURVE_COLUMNS`. `train` and `valid` are
            log-likelihoods in nats per step. `gradient_norm` is the mean over the epoch before clipping, and
            `clipped_share` is in 0..1; these two are NaN for trials of an older version.
        diagnostics: one row for each number that was measured on a final trial's network, columns
            `DIAGNOSTIC_COLUMNS`, see `tasks/trials/diagnostics_table.py`; none for a trial of an older version.
        pieces: the test split, one row for each (final trial, piece), columns `PIECE_COLUMNS`. `log_likelihood` is the
            SUM over the piece's steps in nats. `accuracy` and `union_accuracy` are SUMS over its frames, NaN for text.
            `success` counts the right answers if only the last step of a piece is scored, and `steps` the scored steps.
            `log_likelihood_error` is the standard error of an estimated log-likelihood, common to all pieces of the
            trial; NaN if it is exact. Baselines are rows too: variant `baseline/...`, study 0, seed 0, key "".
        corpora: by name: kind, digest, pieces and steps (split -> number), vocabulary, source, statistics (split ->
            name -> number, `split_statistics`), counting (validation score of the best count baseline, nats per step);
            JSON values.
        portraits: by name, the pieces that the page shows; they are not in the files for programs. In a report that is
            made from its tables they have counts and no piece.
        campaign: preset, trials_per_variant, seeds, epochs, corpora (name -> variants), seed, ...; JSON values.
        provenance: where and with what it was run, started, finished (UTC, ISO), seconds; JSON values.
        failures: key, corpus, variant and reason of every trial without a result, and of every scored one without a
            sample.
        samples: by corpus and variant, the sample of the first final trial that completed; a campaign that was stored
            before there were samples has none.

    Raises:
        ValueError: a frame lacks a column.
    """

    trials: pd.DataFrame
    curves: pd.DataFrame
    diagnostics: pd.DataFrame
    pieces: pd.DataFrame
    corpora: Mapping[str, Mapping[str, Any]]
    portraits: Mapping[str, Portrait]
    campaign: Mapping[str, Any]
    provenance: Mapping[str, Any]
    failures: Sequence[Mapping[str, str]] = ()
    samples: Mapping[str, Mapping[str, Sampled]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, columns in COLUMNS.items():
            missing = [column for column in columns if column not in getattr(self, name).columns]
            if missing:
                raise ValueError(f"Results.{name} lacks the columns {', '.join(missing)}")
            object.__setattr__(self, name, _with_numbers(getattr(self, name)))

    @property
    def shows_pieces(self) -> bool:
        """Whether pieces of the corpora are available; a report that is made from its tables has none."""
        return all(portrait.rolls or portrait.sample for portrait in self.portraits.values())

    @property
    def studies(self) -> int:
        """The number of studies that the campaign asked for; 1 for campaigns from before there were several."""
        return int(self.campaign.get("studies") or 1)

    @property
    def draws(self) -> int:
        """The number of configurations that a study was to try for each variant; 0 if it is not known."""
        return int(self.campaign.get("trials_per_study") or self.campaign.get("trials_per_variant") or 0)

    def variants(self, corpus: str) -> tuple[str, ...]:
        """The variants that the campaign asked for on a corpus, in its order; strays that have trials follow."""
        asked = list(self.campaign.get("corpora", {}).get(corpus, ()))
        seen = self.trials.loc[self.trials["corpus"] == corpus, "variant"]
        return tuple(dict.fromkeys([*asked, *seen]))

    def ended_draws(self, corpus: str) -> pd.DataFrame:
        """The rows of `trials` that are draws of the search on a corpus and came to an end, of any status."""
        of_search = (self.trials["corpus"] == corpus) & (self.trials["purpose"] == "search")
        return self.trials[of_search & (self.trials["status"] != "failed")]
