"""What a campaign of some size will be able to tell, from how much differences spread in a report of the same corpus.

Of each corpus the newest report counts that has two studies or more of it: how far a difference to plain SGD is from
study to study, in the median of the variants, is what more studies make smaller. What this does not do: compute how
small a difference can be told (`report/detectable.py`), or read more than the newest reports.
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
"""Reports that are looked at; each is some hundred kilobytes, which a bucket may be far away with."""


@dataclass(frozen=True)
class Spread:
    """How much the differences on a corpus spread.

    Attributes:
        study_sd: standard deviation over studies, in the median of the variants, in the unit of the first metric.
        piece_se: standard error from the test pieces, likewise.
        pieces: of the test split.
        studies: that it is known from.
        version: of the report.
    """

    study_sd: float
    piece_se: float
    pieces: int
    studies: int
    version: str


@dataclass(frozen=True)
class Smallest:
    """The smallest difference to plain SGD that a campaign can tell on a corpus.

    Attributes:
        corpus: its name.
        metric: name of its first metric.
        unit: of that, or its label where it has none.
        difference: what is smaller cannot be told.
        studies, version: of the report that it is known from.
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
    """The smallest difference on each corpus where it is known; and sentences on the others.

    Args:
        store: with the reports.
        search: of the campaign that is planned.
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
    """What is known of the corpora, by name, in their order; and by version why a report could not be read.

    Args:
        store: with the reports.
        digests: of the corpora, by name: a report of another one under the same name tells nothing.
    """
    found: dict[str, Spread] = {}
    reasons: dict[str, str] = {}
    for version in reversed(report_versions(store)[-_NEWEST:]):
        told, unread = readable(lambda version: _of_report(store, version, digests), [version])
        found = told.get(version, {}) | found
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
    """From the differences of a corpus; None where none is of several studies, or the report is from before it said."""
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
