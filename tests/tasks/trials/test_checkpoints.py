"""Checkpoints in the store: one at a time, gone when the trial is committed, and passed over when they are bad."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import fsspec
import pytest

from infra.store import Store
from models.core import use_kernel
from models.training.progress import Checkpoint
from models.training.run import Run, Training, train_stack
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials.checkpoints import Checkpoints
from tasks.trials.records import trial_prefix
from tasks.trials.train import GivenUp
from tests.tasks.conftest import fill
from tests.tasks.here import prepared, train_here

ROOT = Path(__file__).parents[3]
VARIANTS = {"bach-chorales": "rnn/bernoulli/SGD+CLRM", "folk-tunes-characters": "rnn/softmax/SGD+CM"}


@pytest.fixture(params=VARIANTS)
def trial(request, campaign, digests) -> Trial:
    drawn = draw_trial(campaign, request.param, digests[request.param], VARIANTS[request.param], 0)
    return replace(drawn, epochs=6, output_dropout=0.2)


@pytest.fixture
def impatient(monkeypatch) -> None:
    """A checkpoint after every step, and the question whether to stop too."""
    monkeypatch.setattr("tasks.trials.train.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("tasks.trials.train.ASK_SECONDS", 0.0)


def _after(steps: int) -> Any:
    """Says after so many questions that nobody waits any more."""
    asked = iter(range(1, steps + 1))
    return lambda: next(asked) == steps


def _files(store: Store) -> list[str]:
    files, root = fsspec.core.url_to_fs(store.address)
    return [path.split(f"{root}/", 1)[1] for path in files.find(root) if "checkpoints" in path]


def _bytes(store: Store, trial: Trial) -> list[Any]:
    prefix = trial_prefix(trial.key)
    record = json.loads(store.read(prefix, "record.json"))
    record.pop("seconds")
    tables = [store.read(prefix, name) for name in ("curves.parquet", "diagnostics.parquet")]
    return [store.read(prefix, "weights.safetensors"), *tables, record]


@cache
def _undisturbed(trial: Trial) -> list[Any]:
    store = Store(f"memory://undisturbed-{trial.key}")
    fill(store)
    train_here(store, trial)
    return _bytes(store, trial)


def _updates(monkeypatch) -> list[int]:
    """Where each training that begins from now on goes on from, -1 for the start."""
    begun: list[int] = []

    def noted(*arguments: Any) -> dict[str, Training]:
        (checkpoint,) = arguments[5]
        begun.append(-1 if checkpoint is None else checkpoint.progress.updates)
        return train_stack(*arguments)

    monkeypatch.setattr("tasks.trials.train.train_stack", noted)
    return begun


@pytest.mark.usefixtures("impatient")
def test_a_trial_that_is_given_up_again_and_again_ends_with_the_same_bytes(store, trial, monkeypatch):
    begun = _updates(monkeypatch)
    for steps in (3, 1, 4, 2):
        with pytest.raises(GivenUp):
            train_here(store, trial, _after(steps))
        assert store.prefixes("trials") == []
        assert len(store.prefixes(f"checkpoints/{trial.key}")) == 1
    train_here(store, trial)
    assert begun[0] == -1
    assert begun[1:] == sorted(begun[1:])
    assert begun[-1] > begun[1] > 0
    assert _bytes(store, trial) == _undisturbed(trial)
    assert _files(store) == []


@pytest.mark.usefixtures("impatient")
def test_seconds_count_those_before_the_stop(store, trial):
    with pytest.raises(GivenUp):
        train_here(store, trial, _after(3))
    checkpoints = Checkpoints(store, trial)
    saved = checkpoints.load()
    assert saved.seconds > 0
    checkpoints.save(saved.checkpoint, 1000.0)
    assert 1000 < train_here(store, trial).seconds < 1060


def test_a_trial_that_is_soon_done_leaves_no_checkpoint(store, trial, monkeypatch):
    monkeypatch.setattr(Checkpoints, "save", None)
    train_here(store, trial, lambda: False)
    assert _files(store) == []


def _checkpoint(store: Store, trial: Trial, updates: int = 3) -> Checkpoint:
    corpus, pieces = prepared(store, trial.corpus)
    run = Run([trial], pieces["train"], pieces["valid"], corpus.width)
    while run.progress()[0].updates < updates:
        assert run.advance()
    return run.checkpoints()[0]


def _of(store: Store, trial: Trial) -> tuple[str, Any, str]:
    """The prefix of the one checkpoint, and the files of the store with the path of it."""
    (prefix,) = store.prefixes(f"checkpoints/{trial.key}")
    files, root = fsspec.core.url_to_fs(store.address)
    return prefix, files, f"{root}/{prefix}"


def _damage(store: Store, trial: Trial, what: str) -> None:
    prefix, files, path = _of(store, trial)
    if what == "pointer":
        files.pipe_file(f"{path.rsplit('/', 1)[0]}.json", b"{}")
    elif what == "pointed elsewhere":
        files.pipe_file(f"{path.rsplit('/', 1)[0]}.json", b'{"nonce": "", "value": {"other": 1}}')
    elif what == "manifest":
        files.pipe_file(f"{path}/manifest.json", b"{}")
    elif what == "manifest missing":
        files.rm_file(f"{path}/manifest.json")
    else:
        name, how = what.split()
        (item,) = [item for item in store.manifest(prefix).objects if item.name.startswith(name)]
        files.rm_file(f"{path}/{item.path}") if how == "missing" else files.pipe_file(f"{path}/{item.path}", b"{}")


@pytest.mark.parametrize(
    "what",
    ["pointer", "pointed elsewhere", "manifest", "manifest missing"]
    + [f"{name} {how}" for name in ("progress", "tensors") for how in ("missing", "changed")],
)
def test_a_damaged_checkpoint_is_passed_over_and_does_not_stay_in_the_way(store, trial, what, monkeypatch, caplog):
    checkpoint, begun = _checkpoint(store, trial), _updates(monkeypatch)
    Checkpoints(store, trial).save(checkpoint, 1.0)
    _damage(store, trial, what)
    train_here(store, trial)
    assert begun == [-1]
    assert "starts anew" in caplog.text
    assert _bytes(store, trial) == _undisturbed(trial)
    Checkpoints(store, trial).save(checkpoint, 1.0)
    assert Checkpoints(store, trial).load().checkpoint.to_json() == checkpoint.to_json()
    Checkpoints(store, trial).clear()
    assert _files(store) == []


def test_a_pointer_to_the_checkpoint_of_another_trial_discards_nothing_of_it(store, trial):
    other = replace(trial, seed=trial.seed + 1)
    _, token = store.read_pointer(f"checkpoints/{trial.key}.json")
    prefix = f"checkpoints/{other.key}/4-00000000"
    store.commit(prefix, {"tensors": b"t"}, kind="checkpoint", provenance={})
    store.swap_pointer(f"checkpoints/{trial.key}.json", {"newest": prefix}, token)
    Checkpoints(store, trial).save(_checkpoint(store, trial), 1.0)
    assert Checkpoints(store, trial).load() is None
    assert store.committed(prefix)


def _foreign(trial: Trial, checkpoint: Checkpoint) -> dict[str, Checkpoint]:
    fewer = {name: value for name, value in checkpoint.tensors.items() if name != "velocity"}
    smaller = checkpoint.tensors | {"theta": checkpoint.tensors["theta"][:, 1:]}
    return {
        "another trial": replace(checkpoint, key=replace(trial, seed=trial.seed + 1).key),
        "fewer tensors": replace(checkpoint, tensors=fewer),
        "other shapes": replace(checkpoint, tensors=smaller),
    }


@pytest.mark.parametrize("what", ["another trial", "fewer tensors", "other shapes", "format"])
def test_a_foreign_checkpoint_is_passed_over(store, trial, what, monkeypatch, caplog):
    checkpoint = _checkpoint(store, trial)
    with monkeypatch.context() as patch:
        if what == "format":
            patch.setattr("models.training.progress._FORMAT", 0)
        Checkpoints(store, trial).save(_foreign(trial, checkpoint).get(what, checkpoint), 1.0)
    train_here(store, trial)
    assert "starts anew" in caplog.text
    assert _bytes(store, trial) == _undisturbed(trial)
    assert _files(store) == []


def test_a_checkpoint_of_another_number_of_processes_is_passed_over(store, trial, caplog):
    Checkpoints(store, trial, processes=2).save(_checkpoint(store, trial), 1.0)
    assert Checkpoints(store, trial, processes=2).load() is not None
    assert Checkpoints(store, trial).load() is None
    assert "2 processes trained it, and here are 1: the bits would be neither's" in caplog.text


def test_another_version_of_the_numerics_starts_anew(store, trial, monkeypatch):
    Checkpoints(store, trial).save(_checkpoint(store, trial), 1.0)
    monkeypatch.setattr("models.trial.NUMERICS_VERSION", 0)
    assert Checkpoints(store, replace(trial)).load() is None, "a trial keeps the key that it was asked for"


def test_one_checkpoint_at_a_time_and_none_without(store, trial):
    checkpoints = Checkpoints(store, trial)
    assert checkpoints.load() is None
    for updates in (2, 4):
        checkpoints.save(_checkpoint(store, trial, updates), float(updates))
        saved = checkpoints.load()
        assert (saved.checkpoint.progress.updates, saved.seconds) == (updates, updates)
        (prefix,) = store.prefixes(f"checkpoints/{trial.key}")
        assert prefix.split("/")[2].split("-")[0] == str(updates)
    assert Checkpoints(store, replace(trial, seed=trial.seed + 1)).load() is None
    checkpoints.clear()
    assert (checkpoints.load(), _files(store)) == (None, [])


def test_what_a_killed_worker_left_goes_with_the_commit(store, trial):
    """It was killed after the commit of a checkpoint, before the pointer; and after the trial, before `clear`."""
    store.commit(f"checkpoints/{trial.key}/9-00", {"x": b""}, kind="checkpoint", provenance={})
    train_here(store, trial)
    assert _files(store) == []
    Checkpoints(store, trial).save(_checkpoint(store, trial), 1.0)
    train_here(store, trial)
    assert _files(store) == []


@pytest.mark.usefixtures("impatient")
def test_a_store_that_takes_no_checkpoint_costs_no_trial(tmp_path, trial, caplog):
    store = Store(str(tmp_path))
    fill(store)
    (tmp_path / "checkpoints").write_text("in the way")
    train_here(store, trial)
    assert "goes on without a new checkpoint: cannot write" in caplog.text
    assert _bytes(store, trial) == _undisturbed(trial)


def test_two_workers_at_one_trial_do_not_disturb_each_other(store, trial):
    first, second = Checkpoints(store, trial), Checkpoints(store, trial)
    for updates in (2, 3, 4):
        for worker in (first, second):
            worker.save(_checkpoint(store, trial, updates), 0.0)
            assert worker.load().checkpoint.progress.updates == updates
    assert len(store.prefixes(f"checkpoints/{trial.key}")) == 1


KILLED = """
import os, signal, sys
import torch
from infra.store import Store
from models.trial import Trial
from tasks.trials import train as module
from tests.tasks.here import train_here
import json

torch.set_num_threads(1)
module.CHECKPOINT_SECONDS = 0.0
store, trial = Store(sys.argv[1]), Trial.from_json(json.loads(sys.argv[2]))
save = module.Checkpoints.save

def killing(self, checkpoint, seconds):
    global left
    save(self, checkpoint, seconds)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

module.Checkpoints.save = killing
for left in (4, 5, 10**9):
    # a copy of this process, which has trained nothing: what a new one is, but for the imports
    if (worker := os.fork()) == 0:
        try:
            train_here(store, trial)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(worker, 0)
    print(os.waitstatus_to_exitcode(status), len(store.prefixes("trials")))
"""


@pytest.mark.integration
def test_a_worker_that_is_killed_twice_ends_with_the_bytes_of_an_undisturbed_one(tmp_path, trial):
    killed = Store(str(tmp_path / "killed"))
    fill(killed)
    command = [sys.executable, "-c", KILLED, killed.address, json.dumps(trial.to_json())]
    environment = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines() == ["-9 0", "-9 0", "0 1"]
    assert _bytes(killed, trial) == _undisturbed(trial)
    assert _files(killed) == []


@pytest.mark.usefixtures("impatient")
def test_a_checkpoint_of_another_body_of_the_scan_is_passed_over(store, trial, monkeypatch):
    """Kernels agree to rounding: what is begun by one and ended by the other would be neither's bits."""
    begun = _updates(monkeypatch)
    with use_kernel("reference"), pytest.raises(GivenUp):
        train_here(store, trial, _after(4))
    monkeypatch.setattr("tasks.trials.checkpoints.scan_kernel", lambda: "another")
    with use_kernel("reference"):
        train_here(store, trial)
    assert begun == [-1, -1]
