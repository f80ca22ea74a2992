"""What takes the space of a store: every byte once, and what could go as `gc` lets it go."""

from pathlib import Path

import pytest

from flows.cli import commands
from infra.store import Store
from models.trial import NUMERICS_VERSION
from tasks.upkeep import disk
from tasks.upkeep.disk import Usage, table, usage
from tasks.upkeep.retention import Rule
from tests.tasks.upkeep.test_retention import keep_trial, report


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A bit of everything, of which the hours do not count."""
    made = Store(str(tmp_path / "store"))
    keep_trial(made, 1, 0.1)
    keep_trial(made, NUMERICS_VERSION, 0.2)
    made.commit(f"trials/{'c' * 64}", {"record.json": b"{}"}, kind="trial", provenance={})
    made.commit(f"data/{'d' * 64}", {"arrays": b"a" * 1000}, kind="corpus", provenance={})
    made.commit(f"ingests/{'e' * 64}", {"record.json": b"{}"}, kind="ingest", provenance={})
    made.commit(f"checkpoints/{'f' * 64}/4-aa", {"tensors": b"t"}, kind="checkpoint", provenance={})
    made.swap_pointer(f"checkpoints/{'f' * 64}.json", {"newest": f"checkpoints/{'f' * 64}/4-aa"}, None)
    report(made, 200)
    report(made, 1)
    (tmp_path / "store" / "trials" / ("9" * 64)).mkdir()
    (tmp_path / "store" / "trials" / ("9" * 64) / "record-0123456789ab.json").write_bytes(b"left")
    (tmp_path / "store" / "data" / ("d" * 64) / "arrays-0123456789ab").write_bytes(b"beside")
    (tmp_path / "store" / "notes.txt").write_text("of somebody's")
    monkeypatch.setattr(disk, "HOURS", -1.0)
    monkeypatch.setattr(disk, "RULE", Rule(reports=1, days=90))
    return made


def test_every_byte_is_counted_once_under_its_kind(store: Store) -> None:
    rows = usage(store, pytest.fail)
    assert {row.kind: row.count for row in rows} == {
        "corpora": 1,
        "ingests": 1,
        f"trials, numerics {NUMERICS_VERSION} (today's)": 1,
        "trials, numerics 1": 1,
        "trials, numerics unknown here": 1,
        "scores": 2,
        "samples": 2,
        "reports": 2,
        "checkpoints": 1,
        "names, pointers, others": 4,
        "leftovers": 2,
    }
    assert sum(row.size for row in rows) == sum(item.size for item in store.objects())
    assert next(row.size for row in rows if row.kind == "leftovers") == 10
    assert next(row.size for row in rows if row.kind == "corpora") > 1000


def test_what_could_go_is_what_gc_removes(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    free = {row.kind: row.free for row in usage(store, pytest.fail) if row.free}
    assert set(free) == {"trials, numerics 1", "scores", "samples", "reports", "leftovers"}
    before = sum(item.size for item in store.objects())
    commands.gc(store=store.address, keep_reports=1, keep_days=90, older_numerics=True, hours=-1, delete=True)
    assert before - sum(item.size for item in store.objects()) == sum(free.values())
    assert not [row for row in usage(store, pytest.fail) if row.free]


def test_the_command_prints_a_table(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    commands.disk(store=store.address)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["number", "bytes", "could", "go"]
    (leftover,) = [line for line in lines if line.startswith("leftovers")]
    assert leftover.split() == ["leftovers", "2", "10", "10", "prefect", "run", "gc", "--delete"]
    assert lines[-1].startswith("together")
    assert any(line.endswith("prefect run gc --keep-reports 1 --keep-days 90 --delete") for line in lines)


def test_where_a_report_is_damaged_the_space_is_told_all_the_same(store: Store, tmp_path: Path) -> None:
    for path in (tmp_path / "store" / "reports").glob("*/results.json"):
        path.write_bytes(b"{}")
    told: list[str] = []
    rows = usage(store, told.append)
    assert len(told) == 1
    assert told[0].startswith("what could go is not known: ")
    assert {row.kind for row in rows if row.free} == {"leftovers"}
    assert sum(row.size for row in rows) == sum(item.size for item in store.objects())


def test_an_empty_store_is_a_table_of_nothing(tmp_path: Path) -> None:
    assert usage(Store(str(tmp_path)), pytest.fail) == []
    assert table([Usage("reports", 2, 3000)])[1].split() == ["reports", "2", "3,000", "-"]
