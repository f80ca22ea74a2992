"""The smallest differences that a planned campaign can detect, from the spread of differences in earlier reports.

For each corpus, the newest report with at least two studies of it is used. Its spread is the standard deviation over
studies of the difference to plain SGD, as the median over the variants; more studies reduce its effect. What this does
not
do: compute the detectable difference (`report/numbers/detectable.py`), or read more than the newest reports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from infra.store import Store, read_json
from tasks.campaign import Campaign
from tasks.publishing.publish import report_versions
from tasks.report.numbers.detectable import half_width
from tasks.report.numbers.formatting import joined, number
from tasks.report.numbers.metrics import BY_NAME, METRICS
from tasks.report.numbers.variant_titles import plain_of
from tasks.report.numbers.verdicts import ENOUGH_STUDIES
from tasks.search.search import Search
from tasks.telling.readable import naming, passed_over, readable
from tasks.telling.wording import plural

_NEWEST = 12
"""Most reports that are read; each has some hundred kilobytes, and a bucket may be far away."""


@dataclass(frozen=True)
class Spread:
    """The spread of the differences to plain SGD on a corpus.

    Attributes:
        study_sd: standard deviation over studies, median over the variants, in the unit of the first metric.
        piece_se: standard error due to the test pieces, median over the variants, in the same unit.
        pieces: number of pieces in the test split.
        studies: number of studies in the report.
        version: of the report.
    """

    study_sd: float
    piece_se: float
    pieces: int
    studies: int
    version: str


@dataclass(frozen=True)
class Smallest:
    """The smallest difference to plain SGD that a campaign can detect on a corpus.

    Attributes:
        corpus: name of the corpus.
        metric: name of its first metric.
        unit: of the metric, or its label if it has no unit.
        difference: smaller differences cannot be detected.
        studies, version: of the report that the spread comes from.
    """

    corpus: str
    metric: str
    unit: str
    difference: float
    studies: int
    version: str

    def __str__(self) -> str:
        width = number(self.difference, BY_NAME[self.metric].decimals)
        return (
            f"{self.corpus}: a difference to plain SGD under {width} {self.unit} cannot be told"
            f" (from {plural(self.studies, 'study', 'studies')} in the report {self.version})"
        )


def resolution(store: Store, search: Search) -> tuple[tuple[Smallest, ...], tuple[str, ...]]:
    """The smallest detectable difference on each corpus for which it is known; and sentences on the other corpora.

    Args:
        store: with the reports.
        search: of the planned campaign.
    """
    campaign = search.campaign
    families = {corpus: _compared(variants) for corpus, variants in campaign.variants.items()}
    families = {corpus: number for corpus, number in families.items() if number}
    if not families:
        return (), ()
    if campaign.studies < ENOUGH_STUDIES:
        return (), ("one study tells no difference from the luck of its search: --studies 2 or more",)
    known, reasons = spreads(store, {corpus: search.digests[corpus] for corpus in families})
    told = []
    if unknown := [corpus for corpus in families if corpus not in known]:
        on = "" if len(unknown) == len(families) else f" on {joined(unknown)}"
        told.append(f"how small a difference it can tell{on} is known after a first campaign of two studies")
    smallest = tuple(_smallest(campaign, corpus, families[corpus], spread) for corpus, spread in known.items())
    return smallest, (*told, *passed_over(reasons))


def spreads(store: Store, digests: Mapping[str, str]) -> tuple[dict[str, Spread], dict[str, str]]:
    """The known spreads by corpus name, in the order of the corpora; and, by version, why a report is unreadable.

    Args:
        store: with the reports.
        digests: of the corpora, by name; a report on another corpus of the same name is not used.
    """
    found: dict[str, Spread] = {}
    reasons: dict[str, str] = {}
    for version in reversed(report_versions(store)[-_NEWEST:]):
        by_version, unread = readable(lambda version: _of_report(store, version, digests), [version])
        found = by_version.get(version, {}) | found
        reasons |= unread
        if found.keys() == digests.keys():
            break
    return {corpus: found[corpus] for corpus in digests if corpus in found}, reasons


def _of_report(store: Store, version: str, digests: Mapping[str, str]) -> dict[str, Spread]:
    where = f"{store.address}: reports/{version}"
    document = read_json(store.read(f"reports/{version}", "results.json"), where)
    with naming(where):
        same = [name for name, digest in digests.items() if document["corpora"].get(name, {}).get("digest") == digest]
        made = {name: _spread(document["scores"], name, version) for name in same}
    return {name: spread for name, spread in made.items() if spread is not None}


def _spread(scores: Iterable[Mapping[str, Any]], corpus: str, version: str) -> Spread | None:
    """The spread of a corpus; None if no difference has several studies, or the report is older than these fields."""
    rows = [
        row
        for row in scores
        if row["corpus"] == corpus
        and row["metric"] == METRICS[row["kind"]][0].name
        and row.get("diff_study_sd") is not None
        and row["diff_studies"] >= ENOUGH_STUDIES
    ]
    if not rows:
        return None
    sd, se = (median(row[name] for row in rows) for name in ("diff_study_sd", "diff_piece_se"))
    return Spread(sd, se, rows[0]["n_pieces"], max(row["diff_studies"] for row in rows), version)


def _compared(variants: Iterable[str]) -> int:
    return sum(variant != plain_of(variant) for variant in variants)


def _smallest(campaign: Campaign, corpus: str, family: int, spread: Spread) -> Smallest:
    metric = METRICS[campaign.kinds[corpus]][0]
    width = half_width(spread.study_sd, spread.piece_se, campaign.studies, spread.pieces, family)
    return Smallest(corpus, metric.name, metric.measure, float(width), spread.studies, spread.version)
