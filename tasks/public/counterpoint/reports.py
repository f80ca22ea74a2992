"""A published report: its document, and its numbers as DataFrames."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from infra.provenance import provenance
from infra.store import Store, read_json
from tasks.publishing.publish import read_tables, resolve_version
from tasks.report.kept import results_of
from tasks.report.numbers.estimates import EFFECT_COLUMNS
from tasks.report.numbers.results import COLUMNS, Results
from tasks.telling.readable import naming
from tasks.trials.records import read_parquet

TUNING_COLUMNS = ("corpus", "variant", "draws", "k", "expected", "difference", "low", "high")


@dataclass(frozen=True, eq=False)
class Report:
    """A published report.

    Attributes:
        version: its name.
        results: `results.json`, as docs/report.md describes it.
        scores: `results.parquet`, one row for each corpus, variant and metric.
    """

    version: str
    results: Mapping[str, Any]
    scores: pd.DataFrame
    _measured: Callable[[], Results] = field(repr=False)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What each technique changes, one row for each corpus, metric and technique.

        Columns: `corpus`, `metric`, `technique`; `effect`, in the unit of the metric, positive is better, with its
        interval `low` to `high` and the interval that holds for all effects at once, `sim_low` to `sim_high`;
        `n_pairs` of `pairs_asked` and `pairs`, each (without, with, difference); `fewest_studies` to `most_seeds` of a
        pair.
        """
        return pd.DataFrame(self.results["effects"], columns=list(EFFECT_COLUMNS))

    @cached_property
    def tuning(self) -> pd.DataFrame:
        """The expected score of a variant after k draws of its search, one row for each corpus, variant and k.

        Columns: `corpus`, `variant`; `draws`, the number of draws that it comes from; `k`; `expected`, best validation
        log-likelihood, nats per step; `difference` to plain SGD's with its interval `low` to `high`.
        """
        return pd.DataFrame(self.results["tuning"], columns=list(TUNING_COLUMNS))

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tables that the report was made from, of its own campaign: `trials`, `curves`, `pieces`, `diagnostics`.

        They are read from the store when they are first asked for. Columns: docs/programs.md.

        Raises:
            NotFoundError: the report is older than tables.
            StoreError: the store cannot be used, or holds other bytes than were committed.
        """
        return {name: getattr(self.measured, name)[list(columns)] for name, columns in COLUMNS.items()}

    @cached_property
    def measured(self) -> Results:
        """The results that the report was made from, without pieces and samples, as our own functions take them.

        Raises:
            NotFoundError, StoreError: as of `tables`.
        """
        return self._measured()


def load_report(store: str, version: str | None = None, *, preset: str | None = None) -> Report:
    """A published report.

    Args:
        store: its address.
        version: as `prefect run list` names it; None for the newest.
        preset: the newest of this preset is meant; None for the newest of all.

    Raises:
        NotFoundError: there is no such report.
        StoreError: the store cannot be used, or holds other bytes than were committed.
    """
    opened = Store(store, create=False)
    version = resolve_version(opened, version, preset)
    files = {name: opened.read(f"reports/{version}", name) for name in ("results.json", "results.parquet")}
    where = f"{opened.address}: reports/{version}"

    def measured() -> Results:
        return results_of(read_tables(opened, version), where, provenance())

    with naming(where):
        results, scores = read_json(files["results.json"], where), read_parquet(files["results.parquet"])
        return Report(version, results, scores, measured)
