"""A store is hashed again: changed bits, deleted commits and broken pointers are named, and nothing hides another."""

import random
import shutil
import threading
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from flows.cli import commands
from infra.store import Store
from infra.store.manifest import canonical_json
from tasks.ingest.names import Named, give_name
from tasks.publishing.finished import FINISHED
from tasks.publishing.publish import publish
from tasks.upkeep.verify import Verified, verify_store
from tests.tasks.older import as_before_checksums

A, B, C = (letter * 64 for letter in "abc")
INGEST = "d" * 64
FILES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    f"data/{C}": ("corpus", ("arrays.safetensors", "corpus.json")),
    f"trials/{A}": ("trial", ("record.json", "curves.parquet", "weights.safetensors", "diagnostics.parquet")),
    f"trials/{B}": ("trial", ("record.json", "curves.parquet", "weights.safetensors")),
    f"scores/{A}": ("score", ("pieces.parquet",)),
    f"samples/{A}": ("sample", ("sample.json", "sample.mid")),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with a commit of every kind, and every pointer."""
    store = Store(str(tmp_path / "store"))
    for prefix, (kind, names) in FILES.items():
        files = {name: f"{prefix}/{name}".encode() for name in names}
        store.commit(prefix, files, kind=kind, provenance={"seed": 1, "versions": {"torch": "2"}})
    record = canonical_json({"corpus": C, "name": "songs"})
    store.commit(f"ingests/{INGEST}", {"record.json": record, "inputs.json": b"{}"}, kind="ingest", provenance={})
    give_name(store, "songs", Named(C, "music", 1, INGEST))
    document = canonical_json({"campaign": {"preset": "small"}})
    version = publish(store, {"index.html": b"<p>", "results.json": document}, {"commit": "c" * 40})
    store.swap_pointer(f"{FINISHED}/{A}.json", {"version": version}, None)
    return tmp_path / "store"


def _verify(folder: Path) -> Verified:
    return verify_store(Store(str(folder)))


def test_a_whole_store_is_whole_and_an_empty_one_too(folder: Path, tmp_path: Path) -> None:
    assert _verify(folder) == Verified(7, ())
    assert verify_store(Store(str(tmp_path / "empty"))) == Verified(0, ())


@pytest.mark.parametrize("flips", [60, pytest.param(400, marks=pytest.mark.integration)])
def test_every_flipped_bit_is_found(folder: Path, flips: int) -> None:
    """As many in manifests as in objects as in pointers."""
    draw, missed = random.Random(1), []  # noqa: S311  # which bits, no secret
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    kinds = {
        "manifests": [path for path in files if path.name == "manifest.json"],
        "pointers": [path for path in files if path.parent in (folder, folder / "corpora")],
    }
    kinds["objects"] = [path for path in files if path not in kinds["manifests"] + kinds["pointers"]]
    for number in range(flips):
        path = draw.choice(list(kinds.values())[number % 3])
        good = path.read_bytes()
        bad = bytearray(good)
        at = draw.randrange(len(bad))
        bad[at] ^= 1 << draw.randrange(8)
        path.write_bytes(bad)
        if not _verify(folder).damaged:
            missed.append((path.relative_to(folder), at, bytes(bad)))
        path.write_bytes(good)
    assert missed == []


def test_commits_are_read_many_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket is far away. The first reads of manifests wait for each other, which one after the other never ends."""
    store, number, together = Store(str(folder)), count(), threading.Barrier(4)
    read = store._backend.read

    def meeting(path: str) -> Any:
        if path.endswith("manifest.json") and next(number) < together.parties:
            together.wait(timeout=60)
        return read(path)

    monkeypatch.setattr(store._backend, "read", meeting)
    assert verify_store(store).damaged == ()
    assert next(number) > together.parties


def _remove(*parts: str) -> Callable[[Path], object]:
    return lambda folder: shutil.rmtree(folder.joinpath(*parts))


def _unlink(pattern: str) -> Callable[[Path], object]:
    return lambda folder: next(folder.glob(pattern)).unlink()


@pytest.mark.parametrize(
    ("lose", "told"),
    [
        *((_unlink(f"{kind}/*/manifest.json"), "manifest.json is missing, and its objects are there") for kind in (
            "data", "ingests", "trials", "scores", "samples", "reports")),
        (_unlink(f"trials/{A}/weights*"), f"trials/{A}/weights-"),
        (_remove("trials", A), f"trials/{A} is not there, and scores/{A} speaks of it"),
        (_remove("scores", A), f"scores/{A} is not there, and samples/{A} speaks of it"),
        (_remove("data", C), f"data/{C} is not there, and ingests/{INGEST} speaks of it"),
        (_remove("ingests"), f"ingests/{INGEST} is not there, and corpora/songs.json speaks of it"),
        (_remove("reports"), "is not there, and latest.json speaks of it"),
        (_remove("reports"), "is not there, and finished/"),
        (_unlink("corpora/songs.json"), "corpora/songs.json is not there, and ingests/"),
        (_unlink("latest.json"), "latest.json is not there, and reports/"),
        (_unlink("latest-small.json"), "latest-small.json is not there, and reports/"),
    ],
)  # fmt: skip
def test_what_was_deleted_is_named(folder: Path, lose: Callable[[Path], object], told: str) -> None:
    lose(folder)
    assert any(told in line for line in _verify(folder).damaged)


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"[" * 100_000, b'{"nonce":"0","value":{}}'])
@pytest.mark.parametrize("path", ["latest.json", "latest-small.json", "corpora/songs.json", f"{FINISHED}/{A}.json"])
def test_a_broken_pointer_is_named(folder: Path, path: str, garbage: bytes) -> None:
    (folder / path).write_bytes(garbage)
    assert any(path in line for line in _verify(folder).damaged)


def test_a_report_that_is_another_than_the_one_that_was_pointed_to_is_named(folder: Path) -> None:
    (report,) = (folder / "reports").iterdir()
    shutil.rmtree(report)
    store = Store(str(folder))
    files = {"index.html": b"<p>", "results.json": b"{}"}
    store.commit(f"reports/{report.name}", files, kind="report", provenance={}, plain_names=True)
    assert sum("is not the report that" in line for line in _verify(folder).damaged) == 2


def test_the_command_names_all_and_ends_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.verify(store=str(folder))
    assert capsys.readouterr().out == "7 commits are whole\n"
    next(folder.glob(f"trials/{A}/weights*")).write_bytes(b"")
    (folder / "latest.json").write_bytes(b"")
    (folder / "notes.txt").write_bytes(b"mine")
    with pytest.raises(SystemExit) as ended:
        commands.verify(store=str(folder))
    told = capsys.readouterr()
    assert (ended.value.code, len(told.out.splitlines())) == (1, 3)
    assert told.err == "error: 2 faults in a store of 7 commits\n"


def test_a_report_that_changes_its_preset_wants_no_pointer_of_the_preset(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    document = canonical_json({"campaign": {"preset": "small", "changes": ["2 seeds"]}})
    publish(store, {"index.html": b"<p>", "results.json": document}, {})
    assert not (tmp_path / "latest-small.json").exists()
    assert verify_store(store) == Verified(1, ())


def test_nothing_that_is_damaged_hides_anything_else(folder: Path) -> None:
    next(folder.glob("ingests/*/manifest.json")).write_bytes(b"x")
    next(folder.glob(f"trials/{A}/weights*")).write_bytes(b"")
    next(folder.glob("samples/*/sample*mid")).unlink()
    (folder / "latest.json").write_bytes(b"")
    found = _verify(folder)
    assert found.commits == 7
    for name in (f"ingests/{INGEST}", f"trials/{A}/weights", f"samples/{A}/sample", "latest.json"):
        assert sum(name in line for line in found.damaged) == 1, name
    assert len(found.damaged) == 4


def test_what_a_killed_writer_left_and_what_is_not_ours_is_told_and_no_damage(folder: Path) -> None:
    left = folder / "trials" / ("e" * 64)
    left.mkdir()
    (left / "record-0123456789ab.json").write_bytes(b"{}")
    (folder / "trials" / A / "record-0123456789ab.json").write_bytes(b"{}")
    (folder / "trials" / B / f".tmp-1-{A}").write_bytes(b"{}")
    shutil.copytree(folder / "trials" / A, folder / "trials" / f"{A} (copy)")
    shutil.copytree(folder / "trials", folder / "mybackup")
    (folder / "notes.txt").write_bytes(b"mine")
    found = _verify(folder)
    assert found.damaged == ()
    assert [line.partition(":")[0] for line in found.noticed] == [
        "mybackup",
        "notes.txt",
        f"trials/{A} (copy)",
        f"trials/{'e' * 64}",
    ]
    assert "`prefect run gc` removes them" in found.noticed[-1]


def test_a_store_of_before_there_were_checksums_is_read_and_what_cannot_be_checked_is_said(folder: Path) -> None:
    as_before_checksums(folder)
    assert _verify(folder) == Verified(
        7, (), ("7 commits are older than checksums: of their manifests the form alone was checked",)
    )
    next(folder.glob("scores/*/pieces*")).write_bytes(b"")
    assert any("has changed" in line for line in _verify(folder).damaged)


def test_older_manifests_lack_what_vouches_for_them_and_are_checked_for_the_rest(folder: Path) -> None:
    """Their objects, form and kind; and of a report the pointer has the digest of the manifest."""
    as_before_checksums(folder)
    path = next(folder.glob("reports/*/manifest.json"))
    path.write_bytes(path.read_bytes().replace(b'"ccc', b'"cdc'))
    assert sum("is not the report that" in line for line in _verify(folder).damaged) == 2
    path = next(folder.glob("samples/*/manifest.json"))
    path.write_bytes(path.read_bytes().replace(b'"kind":"sample"', b'"kind":"sampla"'))
    assert any("says that it is a 'sampla'" in line for line in _verify(folder).damaged)
    path = next(folder.glob("scores/*/manifest.json"))
    path.write_bytes(path.read_bytes().replace(b'"size":', b'"size":1'))
    assert any("pieces" in line for line in _verify(folder).damaged)
