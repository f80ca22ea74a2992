"""The page of all versions of the reports in a store, `reports/index.html`: it is renewed, where they never change.

It is made from the manifests alone, which tell the best variants of their reports, so that it costs one small request
a version. Whoever publishes, copies or removes a report renews it afterwards; of two at once the later one has read
what both did, since it swaps the page that it has read before. What this does not do: read a report.
"""

from collections.abc import Mapping
from typing import Any

from infra.store import Store, swap_in_turn
from tasks.publishing.publish import REPORTS, TREND, report_versions
from tasks.report.pages.versions import Best, Version, render_versions
from tasks.telling.readable import naming, readable

MOST = 300
"""Of more versions than these the newest are on the page."""


def renew_trend(store: Store, *, make: bool = True) -> None:
    """Make the page anew from what is committed; it is not written where it would be as it is.

    A version whose manifest cannot be read is not on it: `prefect run list` names it.

    Args:
        store: of the reports.
        make: whether to make it where there is none, as whoever adds a report does.

    Raises:
        StoreError: the store refuses. A ConflictError after many tries: others kept renewing it.
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
        told = manifest.provenance.get("report", {})
        return Version(
            name=version,
            created=manifest.created,
            preset=str(told.get("preset", "")),
            changes=tuple(map(str, told.get("changes", ()))),
            commit=str(manifest.provenance.get("commit") or ""),
            line=str(told.get("best", "")),
            bests=tuple(_best(each) for each in told.get("scores", ())),
        )


def _best(told: Mapping[str, Any]) -> Best:
    corpus, digest, variant, metric = (str(told[name]) for name in ("corpus", "digest", "variant", "metric"))
    mean, low, high = (float("nan" if told[name] is None else told[name]) for name in ("mean", "low", "high"))
    return Best(corpus, digest, variant, metric, mean, low, high)
