"""Compare two versions of a report, from a store or from folders.

A version is named as by `prefect run list`, by `latest`, or by the folder that it was pulled to. It is read from its
tables (`tasks/report/kept.py`), so that both versions are compared by the same statistics. A version older than these
tables is refused, since its intervals alone do not determine a difference. What this does not do: write anywhere,
except into the folder of the comparison's page.
"""

from collections.abc import Sequence
from pathlib import Path

from infra.errors import ConfigurationError, NotFoundError
from infra.provenance import provenance
from infra.store import Store
from tasks.publishing.placing import place
from tasks.publishing.publish import VERSION, PublishedReport, published_reports, read_tables, resolve_version
from tasks.publishing.rebuild import read_folders
from tasks.report import Results
from tasks.report.compared import Comparison, compare_results, render_comparison
from tasks.report.kept import FOLDER, results_of

LATEST = "latest"


class NoVersionBeforeError(NotFoundError):
    """A version is the first one of its preset."""


def compare_versions(names: Sequence[str], address: str) -> Comparison:
    """The comparison of two versions.

    Args:
        names: the earlier and the later version. A single version is compared with the previous one of the same preset;
            without a name the newest version is.
        address: of the store, which is opened only if a version is in it.

    Raises:
        ConfigurationError: a name cannot be a version, or a folder has no tables.
        NotFoundError: a version does not exist, has no previous one (a `NoVersionBeforeError`), or has no tables.
        IntegrityError: stored bytes or tables are damaged.
        CampaignError: the tables of one corpus have different test pieces.
    """
    if len(names) > 2:
        raise ConfigurationError(f"{len(names)} versions: compare takes one or two")
    names = names or (LATEST,)
    for name in names:
        _check(name)
    if len(names) == 1 and _is_folder(names[0]):
        raise ConfigurationError(f"{names[0]}: of a folder nobody knows the version before; name both")
    if all(map(_is_folder, names)):
        earlier, later = names
        return compare_results(_of_folder(earlier), _of_folder(later), (earlier, later))
    store = Store(address, create=False)
    later = _named(names[-1], store)
    earlier = _named(names[0], store) if len(names) == 2 else _version_before(later, store)
    return compare_results(_read(earlier, store), _read(later, store), (earlier, later))


def write_comparison(comparison: Comparison, to: Path) -> Path:
    """Write the page and the JSON document of a comparison into a folder; returns the absolute path of the page.

    Raises:
        ConfigurationError: the folder has other contents, or cannot be made.
    """
    files = {"index.html": render_comparison(comparison).encode(), "comparison.json": comparison.to_json()}
    return place(files, to) / "index.html"


def _is_folder(name: str) -> bool:
    return name != LATEST and not VERSION.fullmatch(name) and Path(name).is_dir()


def _check(name: str) -> None:
    if not (name == LATEST or VERSION.fullmatch(name) or _is_folder(name)):
        raise ConfigurationError(
            f"version {name!r}: neither of the form 20260102T030405Z-1a2b3c4d, nor `latest`, nor a folder that is there"
        )


def _named(name: str, store: Store) -> str:
    return resolve_version(store, None, None) if name == LATEST else name


def _version_before(version: str, store: Store) -> str:
    reports = {report.version: report for report in published_reports(store, lambda _: None)}
    if (report := reports.get(version)) is None:
        raise NotFoundError(f"{store.address}: no report {version}; `prefect run list` names those that are there")
    earlier = [each.version for each in reports.values() if each.version < version and _same_preset(each, report)]
    if not earlier:
        raise NoVersionBeforeError(
            f"{store.address}: no version of its preset before {version}; name the one to compare with"
        )
    return earlier[-1]


def _same_preset(one: PublishedReport, other: PublishedReport) -> bool:
    """Whether two versions have the same preset, with the same settings changed."""
    return (one.preset, one.changes) == (other.preset, other.changes)


def _read(name: str, store: Store) -> Results:
    if _is_folder(name):
        return _of_folder(name)
    return results_of(read_tables(store, name), f"{store.address}: report {name}", provenance())


def _of_folder(name: str) -> Results:
    if (Path(name) / "results.json").is_file() and not (Path(name) / FOLDER).exists():
        raise NotFoundError(f"{name}: this report is older than tables; `prefect run report` makes one that has them")
    folders = read_folders(Path(name))
    if len(folders) > 1:
        raise ConfigurationError(f"{name}: has the tables of {len(folders)} reports; name one of {', '.join(folders)}")
    return next(iter(folders.values()))
