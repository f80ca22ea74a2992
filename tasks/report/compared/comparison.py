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
    """What differs, and what came of it.

    Attributes:
        before, after: what the versions are called.
        finished: when either was made, ISO 8601.
        campaign, code: settings that differ.
        data: the corpora of both; those with other digests are not compared.
        scores, effects: rows of `changes.py`.
        resamples: of every interval.
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
        """As one JSON document in UTF-8; a number that does not exist is null."""
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
        before, after: what they were made from.
        names: what they are called.
        resamples: of every interval.

    Raises:
        CampaignError: on a corpus of one digest they were scored on other test pieces, so that tables are wrong.
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
