"""Old reports and outdated trials go by the rule, and nothing that a report which stays, a pointer or a name needs."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.cli import commands
from infra.errors import ConfigurationError, IntegrityError, StoreError
from infra.store import Store
from models.trial import NUMERICS_VERSION
from tasks.publishing.publish import publish
from tasks.trials.records import TrialRecord
from tasks.upkeep import retention
from tasks.upkeep.leftovers import leftovers, remove
from tasks.upkeep.retention import Rule, old_reports, outdated_trials, trials_by_numerics, withdraw_all
from tasks.upkeep.verify import verify_store
from tests.models.examples import trial as example

NOW = datetime.now(UTC)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(f"memory://{secrets.token_hex(8)}" if request.param == "memory" else f"file://{tmp_path / 'store'}")


def report(store: Store, days: float, *keys: str, preset: str = "smoke") -> str:
    """Publish a report so many days old that names these trials."""
    told = {"campaign": {"preset": preset}, "answers": {}, "ended": [{"key": key} for key in keys]}
    return publish(store, {"results.json": json.dumps(told).encode()}, {}, now=NOW - timedelta(days=days))


def keep_trial(store: Store, numerics: int, learning_rate: float, *, scored: bool = True) -> str:
    """Store a trial as a version of the numerics would have; its key."""
    made = example(learning_rate=learning_rate)
    key = (*made.older_keys, made.key)[numerics - 1]
    record = TrialRecord(made, "completed", None, -1.0, 1, 1, 1, 1, 1.0)
    files = {"record.json": json.dumps(record.to_json()).encode(), "curves.parquet": b"c", "weights.safetensors": b"w"}
    store.commit(f"trials/{key}", files, kind="trial", provenance={})
    if scored:
        store.commit(f"scores/{key}", {"pieces.parquet": b"p"}, kind="score", provenance={})
        store.commit(f"samples/{key}", {"sample.json": b"{}"}, kind="sample", provenance={})
    return key


def versions(store: Store) -> list[str]:
    return [prefix.removeprefix("reports/") for prefix in store.prefixes("reports")]


def going(store: Store, **rule: Any) -> list[str]:
    return [each.what.removeprefix("reports/") for each in old_reports(store, Rule(**rule), store.objects())]


def test_a_report_is_kept_by_its_rank_or_its_age_or_a_pointer(store: Store) -> None:
    thorough = report(store, 400, preset="thorough")
    old = [report(store, days) for days in (300, 200, 100)]
    young = [report(store, days) for days in (20, 10)]
    newest = report(store, 1)
    assert versions(store) == [thorough, *old, *young, newest]
    assert going(store, reports=1, days=90) == old, "the thorough one is the newest of its preset"
    assert going(store, reports=5, days=90) == old[:1], "the third and fourth newest are old, and among five"
    assert going(store, reports=5) == old[:1]
    assert going(store, days=15) == [*old, young[0]]
    assert going(store, reports=0, days=0) == [*old, *young], "what a pointer names stays in any case"
    assert going(store, reports=0) == [*old, *young]
    assert going(store) == []


def test_removed_reports_leave_a_store_that_is_whole(store: Store) -> None:
    old, newest = report(store, 200), report(store, 1)
    store.swap_pointer(f"finished/{'a' * 64}.json", {"version": old}, None)
    store.swap_pointer(f"finished/{'b' * 64}.json", {"version": newest}, None)
    found = old_reports(store, Rule(reports=1), store.objects())
    before = {item.path: item.size for item in store.objects()}
    assert [(each.files, each.size) for each in found] == [
        (2, sum(size for path, size in before.items() if path.startswith(f"reports/{old}/")))
    ]
    assert withdraw_all(store, found) == 2
    gone = before.keys() - {item.path for item in store.objects()}
    assert gone == {path for path in before if old in path} | {f"finished/{'a' * 64}.json"}
    assert not verify_store(store).damaged


def test_outdated_trials_go_with_what_rests_on_them_unless_a_report_names_them(store: Store) -> None:
    needed, other = keep_trial(store, 1, 0.1), keep_trial(store, 1, 0.2)
    bare, today = keep_trial(store, 2, 0.3, scored=False), keep_trial(store, NUMERICS_VERSION, 0.4)
    store.commit(f"trials/{'c' * 64}", {"record.json": b"{}"}, kind="trial", provenance={})
    report(store, 200, needed)
    last = report(store, 1, today)
    assert trials_by_numerics(store) == {
        1: sorted([needed, other]),
        2: [bare],
        NUMERICS_VERSION: [today],
        None: ["c" * 64],
    }

    found = outdated_trials(store, [], store.objects(), -1)
    assert [(each.what, set(each.prefixes)) for each in found] == [
        ("1 trial of numerics 1", {f"{folder}/{other}" for folder in ("trials", "scores", "samples")}),
        ("1 trial of numerics 2", {f"trials/{bare}"}),
    ]
    assert [each.prefixes[-1] for each in found] == [f"trials/{other}", f"trials/{bare}"], "what rests on it goes first"
    reports = old_reports(store, Rule(reports=1), store.objects())
    both = outdated_trials(store, reports, store.objects(), -1)
    assert {prefix for each in both for prefix in each.prefixes} >= {f"trials/{needed}", f"samples/{needed}"}

    before = {item.path for item in store.objects()}
    count = withdraw_all(store, found)
    gone = before - {item.path for item in store.objects()}
    assert len(gone) == count == sum(each.files for each in found)
    assert gone == {path for path in before if other in path or bare in path}
    assert versions(store)[-1] == last
    assert outdated_trials(store, [], store.objects(), -1) == []


def test_what_is_young_stays(store: Store) -> None:
    keep_trial(store, 1, 0.1)
    assert outdated_trials(store, [], store.objects(), 1) == []


def test_where_a_report_that_stays_cannot_be_read_no_trial_goes(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    keep_trial(store, 1, 0.1)
    version = report(store, 1)
    (tmp_path / "store" / "reports" / version / "results.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"results\.json has changed"):
        outdated_trials(store, [], store.objects(), -1)
    (tmp_path / "store" / "latest.json").write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=r"latest\.json is not a pointer"):
        old_reports(store, Rule(reports=0), store.objects())


@pytest.mark.parametrize("after", range(5))
def test_who_is_killed_while_a_report_goes_leaves_what_gc_finds(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    old = report(store, 200)
    report(store, 1)
    store.swap_pointer(f"finished/{'a' * 64}.json", {"version": old}, None)
    found = old_reports(store, Rule(reports=1), store.objects())
    delete, done = store._backend.delete, iter(range(after))

    def killed(path: str) -> None:
        if next(done, None) is None:
            raise KeyboardInterrupt
        delete(path)

    with monkeypatch.context() as patch:
        patch.setattr(store._backend, "delete", killed)
        if after < 3:
            with pytest.raises(KeyboardInterrupt):
                withdraw_all(store, found)
        else:
            withdraw_all(store, found)
    assert not verify_store(store).damaged, "a note goes before its report, a manifest before its objects"
    if old not in versions(store):
        remove(store, leftovers(store, -1))
        assert not [item.path for item in store.objects() if old in item.path]


@pytest.fixture
def address(store: Store) -> str:
    return store.address


def test_the_command_shows_and_removes(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(address)
    old = report(store, 200, keep_trial(store, 1, 0.1))
    report(store, 1)
    asked: dict[str, Any] = {"keep_reports": 1, "keep_days": 90, "older_numerics": True, "hours": -1, "store": address}
    commands.gc(store=address)
    assert capsys.readouterr().out == "nothing is left over\n"
    commands.gc(**asked)
    shown = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in shown[:2]] == [f"reports/{old}", "1 trial of numerics 1"]
    assert shown[2].startswith("10 files, ")
    assert shown[2].endswith("nothing was removed: `--delete` does it")
    assert len(versions(store)) == 2
    commands.gc(**asked, delete=True)
    assert capsys.readouterr().out.splitlines() == [*shown[:2], "removed 10 files"]
    commands.gc(**asked)
    assert capsys.readouterr().out == "nothing is left over\n"
    assert len(versions(store)) == 1


@pytest.mark.parametrize(("option", "value"), [("keep_reports", -1), ("keep_days", -0.5), ("keep_days", float("nan"))])
def test_a_rule_that_cannot_be_is_one_line(
    address: str, capsys: pytest.CaptureFixture[str], option: str, value: Any
) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.gc(store=address, **{option: value})
    said = capsys.readouterr().err
    assert (ended.value.code, said.count("\n")) == (2, 1)
    assert said.startswith(f"error: --{option.replace('_', '-')} {value}: wants a number")
    with pytest.raises(ConfigurationError):
        Rule(days=float("inf"))


def test_of_a_store_that_refuses_nothing_is_hidden(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    report(store, 200)
    report(store, 1)

    def refuse(path: str) -> None:
        raise StoreError("no")

    monkeypatch.setattr(store._backend, "delete", refuse)
    with pytest.raises(StoreError, match="no"):
        withdraw_all(store, old_reports(store, Rule(reports=1), store.objects()))
    assert retention._DIGEST.findall(b"a" * 64)
