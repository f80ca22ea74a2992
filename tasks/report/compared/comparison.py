"""The comparison of two versions, computed once for the terminal, the page and programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tasks.report.compared.changes import Row, changes
from tasks.report.compared.settings import Data, Setting, campaign_differences, code_differences, data_of
from tasks.report.export import plain_json
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.resamples import RESAMPLES
from tasks.report.numbers.results import Results

# Raised when a key changes its meaning or disappears; a new one does not raise it.
SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two versions compared: their settings, their corpora, and the changes of scores and effects.

    Attributes:
        before, after: names of the versions.
        finished: when each was made, ISO 8601.
        campaign, code: settings that differ.
        data: the corpora of both; a corpus is compared only if its digest is the same in both.
        scores, effects: rows of `changes.py`.
        resamples: number of resamples of every interval.
    """

    before: str
    after: str
    finished: tuple[str, str]
    campaign: tuple[Setting, ...]
    code: tuple[Setting, ...]
    data: tuple[Data, ...]
    scores: Sequence[Row]
    effects: Sequence[Row]
    resamples: int

    def to_json(self) -> bytes:
        """The comparison as one JSON document in UTF-8; a missing number is null."""
        document = {
            "schema": "counterpoint.comparison",
            "schema_version": SCHEMA_VERSION,
            **{name: value for name, value in asdict(self).items() if name not in ("data", "resamples")},
            "data": [{**asdict(each), "state": each.state} for each in self.data],
            "statistics": {"level": LEVEL, "resamples": self.resamples},
        }
        return json.dumps(plain_json(document), allow_nan=False, ensure_ascii=False, indent=1).encode()


def compare_results(before: Results, after: Results, names: tuple[str, str], resamples: int = RESAMPLES) -> Comparison:
    """Compare two versions.

    Args:
        before, after: the results of the two versions.
        names: names of the versions.
        resamples: number of resamples of every interval.

    Raises:
        CampaignError: on the same corpus the two versions were scored on different test pieces, so the tables are
            wrong.
    """
    data = data_of(before, after)
    shared = [each.corpus for each in data if each.state == "the same"]
    scores, effects = changes(before, after, shared, resamples)
    return Comparison(
        *names,
        (_finished(before.provenance), _finished(after.provenance)),
        campaign_differences(before, after),
        code_differences(before, after),
        data,
        scores,
        effects,
        resamples,
    )


def _finished(provenance: Mapping[str, Any]) -> str:
    return str(provenance.get("finished", ""))
