"""Reports in real stores: versions, the pointer under competition, the list, and copies that cannot do harm."""

import hashlib
import json
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.errors import ConfigurationError, ConflictError, IntegrityError, NotFoundError
from infra.store import Store
from infra.store.manifest import canonical_json
from tasks.publishing.publish import pointer_of, publish, published_reports, pull_report

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    address = f"memory://{secrets.token_hex(8)}" if request.param == "memory" else f"file://{tmp_path / 'store'}"
    return Store(address)


def _files(text: str = "one", preset: str = "small") -> dict[str, bytes]:
    document = {"campaign": {"preset": preset}, "answers": {"corpus": {"line": f"corpus: SGD+C {text}"}}}
    return {
        "index.html": f"<p>{text}</p>".encode(),
        "results.json": json.dumps(document).encode(),
        "samples/a.mid": b"\0\1",
    }


def _latest(store: Store, preset: str | None = None) -> str:
    value, _ = store.read_pointer(pointer_of(preset))
    return value["version"]


def test_a_version_is_its_time_and_the_digest_of_its_files(store):
    version = publish(store, _files(), {"git_commit": "abc"}, now=NOON)
    assert version.startswith("20260102T120000Z-")
    assert len(version) == len("20260102T120000Z-") + 8
    assert _latest(store) == version
    manifest = store.manifest(f"reports/{version}")
    assert manifest.provenance["git_commit"] == "abc"
    assert [item.path for item in manifest.objects] == ["index.html", "results.json", "samples/a.mid"]
    assert publish(store, dict(reversed(_files().items())), {}, now=NOON) == version
    assert publish(store, _files("two"), {}, now=NOON).rpartition("-")[2] != version.rpartition("-")[2]


def test_the_pointer_never_goes_back(store):
    newer = publish(store, _files("new"), {}, now=NOON + timedelta(hours=1))
    older = publish(store, _files("old"), {}, now=NOON)
    assert _latest(store) == newer
    assert [report.version for report in published_reports(store, pytest.fail)] == [older, newer]


def test_competing_publishers_leave_the_newest_as_the_latest(store):
    def one(minute: int) -> str:
        return publish(store, _files(str(minute)), {}, now=NOON + timedelta(minutes=minute))

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(one, [3, 7, 1, 5, 0, 6, 2, 4]))
    assert _latest(store) == max(versions)
    assert [report.version for report in published_reports(store, pytest.fail)] == sorted(versions)


def test_a_lost_swap_is_tried_again_against_the_new_pointer(store, monkeypatch):
    newest = f"{NOON + timedelta(days=1):%Y%m%dT%H%M%SZ}-00000000"
    swap, calls = store.swap_pointer, []

    def overtaken(name, value, expected):
        calls.append(name)
        if len(calls) == 1:
            swap(name, {"version": newest}, expected)
        swap(name, value, expected)

    monkeypatch.setattr(store, "swap_pointer", overtaken)
    publish(store, _files(), {}, now=NOON)
    assert calls == ["latest.json", "latest-small.json"]
    assert _latest(store) == newest


def test_a_pointer_that_never_holds_still_is_told_in_one_line(store, monkeypatch):
    def refused(name, value, expected):
        raise ConflictError("taken")

    monkeypatch.setattr(store, "swap_pointer", refused)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(ConflictError, match=r"is committed, but latest\.json kept changing"):
        publish(store, _files(), {}, now=NOON)
    assert len(store.prefixes("reports")) == 1


def test_the_list_tells_preset_best_and_latest(store):
    assert published_reports(store, pytest.fail) == ()
    publish(store, _files("1"), {}, now=NOON)
    publish(store, {"index.html": b""}, {}, now=NOON + timedelta(hours=1))
    first, second = published_reports(store, pytest.fail)
    assert (first.preset, first.best, first.latest) == ("small", "corpus: SGD+C 1", True)
    assert (second.preset, second.best, second.latest) == ("", "", True)
    assert str(first).startswith(first.version)
    assert str(second).endswith("(latest)")
    publish(store, _files("2"), {}, now=NOON + timedelta(hours=2))
    assert [report.latest for report in published_reports(store, pytest.fail)] == [False, False, True]


def test_a_small_campaign_does_not_hide_the_latest_of_another_preset(store, tmp_path):
    thorough = publish(store, _files("long", "thorough"), {}, now=NOON)
    nightly = publish(store, _files("night"), {}, now=NOON + timedelta(hours=1))
    assert (_latest(store), _latest(store, "thorough"), _latest(store, "small")) == (nightly, thorough, nightly)
    assert [(report.preset, report.latest) for report in published_reports(store, pytest.fail)] == [
        ("thorough", True),
        ("small", True),
    ]
    assert pull_report(store, None, tmp_path / "t", preset="thorough").read_text() == "<p>long</p>"
    assert pull_report(store, None, tmp_path / "n").read_text() == "<p>night</p>"
    with pytest.raises(NotFoundError, match="no report of preset 'default'"):
        pull_report(store, None, tmp_path / "d", preset="default")


def test_a_changed_preset_does_not_stand_for_the_preset(store, tmp_path):
    whole = publish(store, _files("whole", "default"), {}, now=NOON)
    document = {"campaign": {"preset": "default", "changes": ["trials", "seeds"]}, "answers": {}}
    files = {"index.html": b"<p>fewer</p>", "results.json": json.dumps(document).encode()}
    fewer = publish(store, files, {}, now=NOON + timedelta(hours=1))
    assert (_latest(store), _latest(store, "default")) == (fewer, whole)
    assert pull_report(store, None, tmp_path / "d", preset="default").read_text() == "<p>whole</p>"
    assert [report.latest for report in published_reports(store, pytest.fail)] == [True, False]
    assert "  default, changed" in str(published_reports(store, pytest.fail)[1])
    assert "changed" not in str(published_reports(store, pytest.fail)[0])


def test_pull_copies_the_latest_or_a_named_version(store, tmp_path):
    old = publish(store, _files("old"), {}, now=NOON)
    publish(store, _files("new"), {}, now=NOON + timedelta(hours=1))
    page = pull_report(store, None, tmp_path / "deep" / "latest")
    assert page == tmp_path / "deep" / "latest" / "index.html"
    assert page.read_text() == "<p>new</p>"
    assert (page.parent / "samples" / "a.mid").read_bytes() == b"\0\1"
    assert pull_report(store, old, tmp_path / "old").read_text() == "<p>old</p>"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "store") == ["deep", "old"]


def test_pull_into_an_empty_or_equal_directory_is_fine(store, tmp_path):
    publish(store, _files(), {}, now=NOON)
    (tmp_path / "empty").mkdir()
    page = pull_report(store, None, tmp_path / "empty")
    before = page.stat().st_mtime_ns
    assert pull_report(store, None, tmp_path / "empty") == page
    assert page.stat().st_mtime_ns == before


def test_pull_never_overwrites_something_else(store, tmp_path):
    publish(store, _files(), {}, now=NOON)
    target = tmp_path / "mine"
    pull_report(store, None, target)
    (target / "notes.txt").write_text("my own")
    with pytest.raises(ConfigurationError, match="holds something else"):
        pull_report(store, None, target)
    assert (target / "notes.txt").read_text() == "my own"
    file = tmp_path / "file"
    file.write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        pull_report(store, None, file)
    assert file.read_text() == "a file"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_pull_says_what_is_missing(store, tmp_path):
    with pytest.raises(NotFoundError, match="no report is published"):
        pull_report(store, None, tmp_path / "a")
    with pytest.raises(ConfigurationError, match="not of the form"):
        pull_report(store, "../../etc", tmp_path / "a")
    with pytest.raises(NotFoundError, match="no report 20260102T120000Z-00000000"):
        pull_report(store, "20260102T120000Z-00000000", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_pull_refuses_bytes_that_changed(tmp_path: Path):
    store = Store(f"file://{tmp_path / 'store'}")
    version = publish(store, _files(), {}, now=NOON)
    stored = tmp_path / "store" / "reports" / version / "index.html"
    stored.chmod(0o644)
    stored.write_text("<p>other</p>")
    with pytest.raises(IntegrityError):
        pull_report(store, None, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_pull_copies_the_tables_alone_where_they_are_asked_for(store, tmp_path):
    tables = {"tables/tables.json": b"{}", "tables/trials.parquet": b"PAR1", "campaign.toml": b"seed = 0"}
    publish(store, {**_files(), **tables}, {}, now=NOON)
    to = pull_report(store, None, tmp_path / "a", tables=True)
    assert to == tmp_path / "a"
    found = {path.name: path.read_bytes() for path in to.iterdir()}
    assert found == {name.removeprefix("tables/"): data for name, data in tables.items()}
    version = publish(store, _files("older"), {}, now=NOON + timedelta(hours=1))
    with pytest.raises(NotFoundError, match=f"report {version} is older than tables; `prefect run report` makes one"):
        pull_report(store, None, tmp_path / "b", tables=True)
    assert not (tmp_path / "b").exists()


EVIL = ("../../pwned", "{root}/pwned", "a/../../../pwned", "~/pwned", "a\\..\\pwned", "", ".", "a//b", ".profile")


@pytest.mark.parametrize("name", EVIL)
def test_a_manifest_whose_names_lead_elsewhere_is_refused_and_nothing_is_written(tmp_path, name):
    """Whoever can write into a shared bucket must not write into the home of those who pull."""
    store, version = Store(str(tmp_path / "store")), "20260102T120000Z-00000000"
    item = {"name": name.format(root=tmp_path), "path": "x", "size": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
    report = {"created": "", "format": 1, "kind": "report", "nonce": "0", "prefix": f"reports/{version}"}
    folder = tmp_path / "store" / "reports" / version
    folder.mkdir(parents=True)
    (folder / "x").write_bytes(b"evil")
    (folder / "manifest.json").write_bytes(canonical_json(report | {"provenance": {}, "objects": [item]}))
    before = set(tmp_path.rglob("*"))
    with pytest.raises(IntegrityError, match="changed after it was written"):
        pull_report(store, version, tmp_path / "a" / "b" / "report")
    assert set(tmp_path.rglob("*")) == before


def test_what_is_no_version_or_cannot_be_read_is_passed_over_by_name(tmp_path):
    store, told = Store(str(tmp_path)), []
    reports = tmp_path / "reports"
    older, newer = (publish(store, _files(n), {}, now=NOON + timedelta(hours=int(n))) for n in "12")
    for copy in (f"{newer} (copy)", f"{newer}-copy", "mybackup"):  # what a file manager, or a person, makes
        shutil.copytree(reports / newer, reports / copy)
    (reports / older / "manifest.json").write_bytes(b"[" * 100_000)
    (tmp_path / "latest-small.json").write_bytes(b"garbage")
    assert [(each.version, each.latest) for each in published_reports(store, told.append)] == [(newer, False)]
    assert len(told) == 2
    assert f"reports/{older}/manifest.json: not a manifest" in told[0]
    assert "latest-small.json is not a pointer" in told[1]


@pytest.mark.parametrize("value", [{}, {"version": "../trials/key"}, {"version": None}, {"version": "zzz"}])
def test_a_pointer_to_no_version_is_told_and_the_next_report_mends_it(store, tmp_path, value):
    store.swap_pointer("latest.json", value, None)
    with pytest.raises(IntegrityError, match="latest.json points to no report; delete it"):
        pull_report(store, None, tmp_path / "pulled")
    version = publish(store, _files(), {}, now=NOON)
    assert _latest(store) == version


@pytest.mark.parametrize("told", [1, [], {"preset": "../x"}, {"changes": 1}])
def test_a_report_that_tells_odd_things_of_itself_hides_no_other(store, told):
    store.commit("reports/20260101T120000Z-00000000", {}, kind="report", provenance={"report": told}, plain_names=True)
    version = publish(store, _files(), {}, now=NOON)
    assert published_reports(store, lambda line: None)[-1].version == version


def test_what_the_list_tells_cannot_command_a_terminal(store):
    publish(store, _files("\x1b[2J"), {}, now=NOON)
    (line,) = map(str, published_reports(store, pytest.fail))
    assert line.isprintable()
