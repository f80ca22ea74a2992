"""Versions in a store and in folders: which two are meant, and what cannot be compared, in one line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.errors import ConfigurationError, NotFoundError
from infra.store import Store
from tasks.publishing.compare import compare_versions, write_comparison
from tasks.publishing.placing import place
from tasks.publishing.publish import publish
from tasks.report.kept import FOLDER, kept_files
from tests.tasks.report.compared.versions import LEVELS, SGD, C, version

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _files(luck: int, preset: str = "small", changes: str = "[]") -> dict[str, bytes]:
    document = f'{{"campaign": {{"preset": "{preset}", "changes": {changes}}}, "answers": {{}}}}'
    tables = kept_files(version(luck, {SGD: -9.0, C: -9.0}))
    return {f"{FOLDER}/{name}": data for name, data in tables.items()} | {"results.json": document.encode()}


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> tuple[str, list[str]]:
    """Versions of one preset, the oldest not listed; between them one of another, one changed, one without tables."""
    address = str(tmp_path_factory.mktemp("versions"))
    publish(Store(address), _files(5), {}, now=NOON - timedelta(hours=1))
    told = [_files(1), _files(2, "large"), _files(3, changes='["trials"]'), {"index.html": b""}, _files(4)]
    return address, [publish(Store(address), each, {}, now=NOON + timedelta(hours=n)) for n, each in enumerate(told)]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("tasks.publishing.compare.compare_results", lambda before, after, names: names)


def test_one_version_is_compared_with_the_one_before_of_its_preset(store, quick):
    address, versions = store
    assert (
        compare_versions([], address)
        == compare_versions(["latest"], address)
        == compare_versions([versions[4]], address)
    )
    assert compare_versions([], address) == (versions[0], versions[4])
    assert compare_versions([versions[2], "latest"], address) == (versions[2], versions[4])
    assert compare_versions(["latest", versions[0]], address) == (versions[4], versions[0])


def test_what_cannot_be_compared_is_told_in_one_line(store, quick, tmp_path):
    address, versions = store
    cases = [
        ([versions[1]], f"no version of its preset before {versions[1]}"),
        ([versions[2]], f"no version of its preset before {versions[2]}"),
        ([versions[3], "latest"], f"report {versions[3]} is older than tables; `prefect run report` makes one"),
        (["20260102T120000Z-00000000"], "no report 20260102T120000Z-00000000; `prefect run list`"),
        (["20260102T120000Z-00000000", "latest"], "no report 20260102T120000Z-00000000; `prefect run list`"),
        (["nowhere", "latest"], "version 'nowhere': neither of the form"),
        ([str(tmp_path)], "of a folder nobody knows the version before; name both"),
        ([str(tmp_path), "latest"], "no tables.json in it or below"),
        (["latest"] * 3, "3 versions: compare takes one or two"),
    ]
    for names, line in cases:
        with pytest.raises((ConfigurationError, NotFoundError)) as told:
            compare_versions(names, address)
        assert line in str(told.value)
        assert "\n" not in str(told.value)


def test_folders_are_compared_without_a_store(tmp_path):
    for name, results in (("a", version(1)), ("b/tables", version(2, LEVELS | {C: -9.6}))):
        place(kept_files(results), tmp_path / name)
    made = compare_versions([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "no store"))
    assert {row["variant"]: row["verdict"] for row in made.scores}[C] == "regressed"
    page = write_comparison(made, tmp_path / "to")
    assert sorted(path.name for path in page.parent.iterdir()) == ["comparison.json", "index.html"]
    assert not Path(tmp_path / "no store").exists()
    place({"results.json": b"{}"}, tmp_path / "older")
    with pytest.raises(NotFoundError, match="older: this report is older than tables; `prefect run report` makes"):
        compare_versions([str(tmp_path / "older"), str(tmp_path / "a")], "")
    with pytest.raises(ConfigurationError, match="has the tables of 2 reports; name one of a, b"):
        compare_versions([str(tmp_path), str(tmp_path / "a")], "")


def test_a_version_of_a_store_and_a_folder(store, tmp_path):
    address, versions = store
    place(kept_files(version(1, {SGD: -9.0, C: -9.0})), tmp_path / "a")
    made = compare_versions([str(tmp_path / "a"), versions[0]], address)
    assert {row["verdict"] for row in made.scores} == {"the same"}
    assert (made.before, made.after) == (str(tmp_path / "a"), versions[0])
