"""Rungs in a store: a trial goes on from the end of a shorter one, whatever happens to that, to the same bytes."""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from prefect.logging import disable_run_logger

from infra.store import Store
from infra.store.store import open_backend
from models.training.run import train_stack
from models.trial import Trial
from tasks.search import dispatch
from tasks.search.dispatch import Stage
from tasks.search.search import Search, draw_trial
from tasks.trials.checkpoints import Checkpoints, clear_checkpoints
from tasks.trials.job import run_job
from tasks.trials.ledger import Ledger
from tasks.trials.records import load_record, trial_prefix
from tasks.trials.rung import Rung
from tasks.upkeep.leftovers import leftovers, remove
from tests.tasks.conftest import fill
from tests.tasks.here import train_here, train_stack_here
from tests.tasks.place import Place

CORPUS = "bach-chorales"


@pytest.fixture
def short(campaign, digests) -> Trial:
    return replace(draw_trial(campaign, CORPUS, digests[CORPUS], "rnn/bernoulli/SGD+CM", 0), epochs=1, patience=9)


@pytest.fixture
def long(short) -> Trial:
    return replace(short, epochs=3)


def _kept(*trials: Trial) -> Rung:
    return Rung(keeps=frozenset(trial.key for trial in trials))


def _bytes(store: Store, trial: Trial) -> list[Any]:
    prefix = trial_prefix(trial.key)
    record = json.loads(store.read(prefix, "record.json")) | {"seconds": None}
    return [record, *(store.read(prefix, name) for name in ("curves.parquet", "diagnostics.parquet"))] + [
        store.read(prefix, "weights.safetensors")
    ]


@cache
def _undisturbed(trial: Trial) -> list[Any]:
    store = Store(f"memory://undisturbed-{trial.key}")
    fill(store)
    train_here(store, trial)
    return _bytes(store, trial)


@pytest.fixture
def begun(monkeypatch) -> list[int]:
    """The epochs that each trial has behind it when it is trained, 0 for the start."""
    found: list[int] = []

    def noted(*arguments: Any) -> Any:
        found.extend(0 if each is None else each.progress.epoch - 1 for each in arguments[5])
        return train_stack(*arguments)

    monkeypatch.setattr("tasks.trials.train.train_stack", noted)
    return found


def test_trials_go_on_from_rung_to_rung_and_nothing_is_left(store, short, long, begun):
    last = replace(long, epochs=4)
    train_stack_here(store, [short], rung=_kept(short))
    train_stack_here(store, [short], rung=_kept(short))
    assert Checkpoints(store, short).load().checkpoint.progress.epoch == 2, "it was stored already, and is kept"
    train_stack_here(store, [long], rung=Rung({long.key: 1}, frozenset([long.key])))
    assert Checkpoints(store, short).load() is None, "it has served"
    train_stack_here(store, [last], rung=Rung({last.key: 3}))
    assert begun == [0, 1, 3]
    assert all(_bytes(store, trial) == _undisturbed(trial) for trial in (short, long, last))
    assert store.objects("checkpoints") == []


def test_the_seconds_are_those_of_the_whole_training(store, short, long):
    train_stack_here(store, [short], rung=_kept(short))
    saved = Checkpoints(store, short).load()
    assert 0 < saved.seconds == pytest.approx(load_record(store, short.key).seconds, abs=1e-3)
    Checkpoints(store, short).save(saved.checkpoint, 1000.0)
    train_stack_here(store, [long], rung=Rung({long.key: 1}))
    assert 1000 < load_record(store, long.key).seconds < 1060


def test_members_of_a_stack_go_on_each_from_its_own_shorter_trial(store, short, begun):
    trials = [replace(short, seed=seed, epochs=3) for seed in (1, 2, 3)]
    shorter = [replace(trial, epochs=epochs) for trial, epochs in zip(trials, (1, 2), strict=False)]
    train_stack_here(store, shorter, rung=_kept(*shorter))
    train_stack_here(store, trials, rung=Rung({trials[0].key: 1, trials[1].key: 2}))
    assert begun == [0, 0, 1, 2, 0]
    for trial in trials:
        ours = load_record(store, trial.key)
        assert ours.valid == pytest.approx(_undisturbed(trial)[0]["valid"], rel=1e-4)
        assert ours.epochs == 3
    assert store.objects("checkpoints") == []


def test_patience_that_had_ended_the_shorter_one_ends_the_longer_one(store, short, begun):
    short, long = (replace(short, learning_rate=1e-30, patience=1, epochs=epochs) for epochs in (3, 9))
    train_stack_here(store, [short], rung=_kept(short))
    train_stack_here(store, [long], rung=Rung({long.key: 3}))
    assert begun == [0, 1]
    assert _bytes(store, long) == _undisturbed(long)
    assert load_record(store, long.key).epochs == 1


def test_a_trial_that_diverged_keeps_nothing_and_the_longer_one_diverges_as_well(store, short, caplog, monkeypatch):
    monkeypatch.setattr("tasks.trials.train.CHECKPOINT_SECONDS", 0.0)
    short = replace(short, learning_rate=1e30)
    long = replace(short, epochs=2)
    train_stack_here(store, [short], rung=_kept(short))
    assert store.objects("checkpoints") == []
    train_stack_here(store, [long], rung=Rung({long.key: 1}))
    assert f"trial {long.key[:12]} starts anew: no end of its first 1 epochs is kept" in caplog.messages
    assert load_record(store, long.key).diverged_at == load_record(store, short.key).diverged_at == 2


def _change(store: Store, short: Trial, name: str, data: bytes) -> None:
    (prefix,) = store.prefixes(f"checkpoints/{short.key}")
    (item,) = [item for item in store.manifest(prefix).objects if item.name == name]
    store._backend.delete(f"{prefix}/{item.path}")
    store._backend.create(f"{prefix}/{item.path}", data)


def _of_another_trial(store: Store, short: Trial) -> None:
    (prefix,) = store.prefixes(f"checkpoints/{short.key}")
    checkpoint = Checkpoints(store, short)._read(prefix).checkpoint
    Checkpoints(store, short).save(replace(checkpoint, key="0" * 64), 1.0)


def _of_other_shapes(store: Store, short: Trial) -> None:
    checkpoints = Checkpoints(store, short)
    saved = checkpoints.load()
    tensors = saved.checkpoint.tensors | {"theta": saved.checkpoint.tensors["theta"][:, 1:]}
    checkpoints.save(replace(saved.checkpoint, tensors=tensors), 1.0)


def _manifest(store: Store, short: Trial) -> list[str]:
    return [f"{prefix}/manifest.json" for prefix in store.prefixes(f"checkpoints/{short.key}")]


DAMAGES: dict[str, Callable[[Store, Trial], None]] = {
    "tensors": lambda store, short: _change(store, short, "tensors.safetensors", b"{}"),
    "progress": lambda store, short: _change(store, short, "progress.json", b"{}"),
    "manifest": lambda store, short: store._backend.delete(*_manifest(store, short)),
    "pointer": lambda store, short: store.discard_pointer(f"checkpoints/{short.key}.json"),
    "another trial": _of_another_trial,
    "other shapes": _of_other_shapes,
}


@pytest.mark.parametrize("what", DAMAGES)
def test_an_end_that_cannot_be_used_is_one_line_and_costs_time_alone(store, short, long, begun, caplog, what):
    train_stack_here(store, [short], rung=_kept(short))
    DAMAGES[what](store, short)
    train_stack_here(store, [long], rung=Rung({long.key: 1}))
    assert [line[:30] for line in caplog.messages] == [f"trial {long.key[:12]} starts anew"]
    assert begun[-1] == 0
    assert _bytes(store, long) == _undisturbed(long)
    assert store.objects("checkpoints") == []


def test_an_end_by_another_body_of_the_scan_is_passed_over(store, short, long, begun, monkeypatch, caplog):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("tasks.trials.checkpoints.scan_kernel", lambda: "another")
        train_stack_here(store, [short], rung=_kept(short))
    train_stack_here(store, [long], rung=Rung({long.key: 1}))
    assert begun == [0, 0]
    assert "its scan was another" in caplog.text


def test_what_is_its_own_comes_before_the_end_of_the_shorter_one(store, short, long):
    train_stack_here(store, [short], rung=_kept(short))
    grown = Checkpoints(store, long, short)
    found = grown.load()
    assert (found.checkpoint.key, found.checkpoint.progress.epoch) == (long.key, 2)
    later = replace(found.checkpoint, progress=replace(found.checkpoint.progress, chunk=1))
    grown.save(later, 7.0)
    assert (grown.load().seconds, grown.load().checkpoint.progress.chunk) == (7.0, 1)
    grown.clear(keeping=True)
    assert Checkpoints(store, short).load() is None
    assert Checkpoints(store, long).load().seconds == 7.0


def test_what_is_kept_of_some_trials_is_cleared_and_no_other(store, short, long):
    others = [replace(short, seed=seed) for seed in (1, 2)]
    train_stack_here(store, [short, *others], rung=_kept(short, *others))
    under_way, checkpoint = replace(short, seed=3), Checkpoints(store, short).load().checkpoint
    Checkpoints(store, under_way).save(replace(checkpoint, key=under_way.key), 1.0)
    clear_checkpoints(store, [short, others[0]])
    left = {item.path.split("/")[1].removesuffix(".json") for item in store.objects("checkpoints")}
    assert left == {others[1].key, under_way.key}


def test_a_search_that_kept_nothing_asks_the_store_for_nothing(store, short, monkeypatch):
    monkeypatch.setattr(Store, "objects", None)
    clear_checkpoints(store, [])


def test_only_a_shorter_trial_can_be_gone_on_from(short, long):
    assert Rung({long.key: 1}).shorter(long) == short
    assert Rung({long.key: 1}).shorter(short) is None
    for epochs in (3, 4):
        with pytest.raises(ValueError, match=f"^rung: a trial of 3 epochs goes on from one with fewer, got {epochs}"):
            Rung({long.key: epochs}).shorter(long)


def test_a_rung_as_json_is_of_some_trials(short, long):
    rung = Rung({long.key: 1, "other": 2}, frozenset([long.key, "more"]))
    values = json.loads(json.dumps(rung.to_json([short, long])))
    assert Rung.from_json(values) == Rung({long.key: 1}, frozenset([long.key]))


ADDRESS = "memory://rungs"


@pytest.fixture
def place(monkeypatch) -> Place:
    """What is at one address, with both corpora in it."""
    only = Place()
    monkeypatch.setattr(
        "infra.store.store.open_backend", lambda address: only if str(address) == ADDRESS else open_backend(address)
    )
    fill(Store(ADDRESS))
    only.history = []
    return only


def _search(short: Trial, long: Trial) -> None:
    """A search of two rungs: of two trials, one stored before the other, one goes on."""
    store, other = Store(ADDRESS), replace(short, seed=short.seed + 1)
    ledger = Ledger(store)
    for trial in (other, short):
        if ledger.unfinished([trial], scored=False):
            train_stack_here(store, [trial], rung=_kept(trial))
    if ledger.unfinished([long], scored=False):
        train_stack_here(store, [long], rung=Rung({long.key: 1}))
    clear_checkpoints(ledger.store, [short, other])


@pytest.mark.parametrize(
    ("step", "collected"),
    [(3, False), (6, True), *(pytest.param(1, gc, marks=pytest.mark.integration) for gc in (False, True))],
)
def test_killed_before_any_write_a_search_goes_on_to_the_same_bytes(place, short, long, begun, step, collected):
    expected = [_undisturbed(trial) for trial in (short, long)]
    begun.clear()
    _search(short, long)
    history = [*place.history, place.files]
    assert begun == [0, 0, 1]
    first = next(at for at, files in enumerate(history) if any(path.startswith("trials/") for path in files))
    for files in history[first::step]:
        place.files = dict(files)
        store = Store(ADDRESS)
        if collected:
            remove(store, leftovers(store))
        elif load_record(store, short.key) is not None and load_record(store, long.key) is None:
            assert Checkpoints(store, short).load() is not None, "nothing is lost"
        _search(short, long)
        assert [_bytes(store, trial) for trial in (short, long)] == expected
        assert store.objects("checkpoints") == []
        remove(store, leftovers(store))
        assert len(place.files) == len(history[-1])
    assert set(begun) == {0, 1}


class _Workers:
    """Does the work at once, in this process."""

    size, on_gpus, client, processes = 2, False, None, 1

    def scheduler_watched(self) -> Any:
        return nullcontext()

    def resources_asked(self) -> Any:
        return nullcontext()

    def gather(self, futures: Sequence[Any]) -> list[Any]:
        return list(futures)


def test_a_stage_hands_its_rung_to_every_job(store, digests, campaign, short, long, begun, monkeypatch):
    class TrialTimes:
        def seconds(self, trial: Trial) -> float:
            return float(trial.epochs)

    class Shown:
        def summary(self) -> str:
            return ""

    monkeypatch.setattr(dispatch, "show_progress", lambda *_, **named: nullcontext(Shown()))
    monkeypatch.setattr(run_job, "submit", lambda *arguments: run_job.fn(*json.loads(json.dumps(arguments))))
    shorter = [replace(short, seed=seed) for seed in (1, 2, 3)]
    longer = [replace(trial, epochs=3) for trial in shorter[:2]]
    asked = Search(campaign, digests), Ledger(store), TrialTimes(), _Workers()
    with disable_run_logger():
        monkeypatch.setattr(dispatch, "get_run_logger", lambda: _Silent())
        reasons = Stage(*asked, _kept(*shorter)).run(shorter)
        reasons |= Stage(*asked, Rung({trial.key: 1 for trial in longer})).run(longer)
    stage = Stage(*asked, Rung({long.key: 1}))
    assert (stage._seconds(short), stage._seconds(long)) == (1.0, 2.0), "what they have before them"
    assert reasons == {}
    assert begun == [0, 0, 0, 1, 1]


class _Silent:
    def info(self, *_: object) -> None: ...

    warning = info
