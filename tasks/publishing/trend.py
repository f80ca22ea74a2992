"""The page of all versions of the reports in a store, `reports/index.html`. Unlike the reports, it is renewed.

It is made only from the manifests, which have a summary of the best variants, so that it costs one small request for
each version. It is renewed after every publication, copy or removal of a report. If two processes renew it at once, the
page is swapped after reading the versions, so the later one has seen the changes of both. What this does not do: read a
report.
"""

from collections.abc import Mapping
from typing import Any

from infra.store import Store, swap_in_turn
from tasks.publishing.publish import REPORTS, TREND, report_versions
from tasks.report.pages.versions import Best, Version, render_versions
from tasks.telling.readable import naming, readable

MOST = 300
"""Most versions on the page, the newest ones."""


def renew_trend(store: Store, *, make: bool = True) -> None:
    """Make the page again from the committed versions; it is written only if it changes.

    A version whose manifest cannot be read is left out; `prefect run list` names it.

    Args:
        store: of the reports.
        make: whether to make a missing page, as after adding a report.

    Raises:
        StoreError: the store refuses; a ConflictError if others kept renewing the page.
    """

    def renew() -> None:
        present, token = store.read_page(TREND)
        if present is None and not make:
            return
        page = render_versions(_versions(store), MOST).encode()
        if page != present:
            store.swap_page(TREND, page, token)

    swap_in_turn(renew, f"{store.address}: {TREND} kept changing; the next report renews it")


def _versions(store: Store) -> list[Version]:
    """The newest versions, the newest first."""
    newest = report_versions(store)[-MOST:]
    found, _ = readable(lambda version: _told(store, version), reversed(newest))
    return list(found.values())


def _told(store: Store, version: str) -> Version | None:
    manifest = store.manifest(f"{REPORTS}/{version}")
    if manifest is None:
        return None
    with naming(f"{store.address}: {manifest.prefix}"):
        summary = manifest.provenance.get("report", {})
        return Version(
            name=version,
            created=manifest.created,
            preset=str(summary.get("preset", "")),
            changes=tuple(map(str, summary.get("changes", ()))),
            commit=str(manifest.provenance.get("commit") or ""),
            line=str(summary.get("best", "")),
            bests=tuple(_best(row) for row in summary.get("scores", ())),
        )


def _best(row: Mapping[str, Any]) -> Best:
    corpus, digest, variant, metric = (str(row[name]) for name in ("corpus", "digest", "variant", "metric"))
    mean, low, high = (float("nan" if row[name] is None else row[name]) for name in ("mean", "low", "high"))
    return Best(corpus, digest, variant, metric, mean, low, high)
