"""A trial on two processes: one that is killed is named, and the next try ends with the bits of an undisturbed one."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load

from infra.errors import ProcessError
from infra.store import Store
from models.data.chunks import Pieces
from models.training.run import Run, train, train_stack
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials.data import data_of
from tasks.trials.records import TrialRecord, trial_prefix
from tasks.trials.split import processes as module
from tasks.trials.split.handed import Handed
from tasks.trials.split.processes import processes
from tasks.trials.train import ensure_trained
from tests.models import examples
from tests.models.training.ranks import together

VARIANT = "rnn/bernoulli/SGD+CM"


@pytest.fixture
def others() -> Callable[[], list[psutil.Process]]:
    """Asks for the processes that this one has started in the test, and that still run."""
    before = set(psutil.Process().children(recursive=True))
    return lambda: [each for each in psutil.Process().children(recursive=True) if each not in before]


@pytest.fixture
def trial(campaign, digests) -> Trial:
    return draw_trial(campaign, "bach-chorales", digests["bach-chorales"], VARIANT, 0)


@pytest.fixture
def on_disk(tmp_path: Path, _filled: tuple[dict[str, str], dict[str, bytes]]) -> Store:
    """A store with the corpora that other processes see too."""
    for path, content in _filled[1].items():
        (tmp_path / "store" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / path).write_bytes(content)
    return Store(str(tmp_path / "store"))


def on_two(store: Store, trial: Trial, given_up=None) -> TrialRecord:
    (record,) = ensure_trained(store, data_of(store.address, trial.corpus), [trial], given_up, count=2)
    return record


@pytest.mark.integration
def test_a_process_that_is_killed_is_named_and_the_next_try_goes_on_to_the_same_bits(
    on_disk: Store, trial: Trial, others: Callable[[], list[psutil.Process]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = on_disk
    monkeypatch.setattr("tasks.trials.train.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("tasks.trials.train.ASK_SECONDS", 0.0)
    asked = 0

    def kill_at_the_tenth() -> bool:
        nonlocal asked
        asked += 1
        if asked == 10:
            (other,) = others()
            other.kill()
        return False

    with pytest.raises(ProcessError, match=r"process 2 of the 2 that train the trial was killed \(SIGKILL\)"):
        on_two(store, trial, kill_at_the_tenth)
    assert store.prefixes("trials") == []
    assert not others()
    begun = list(store.objects("checkpoints"))
    assert begun

    updates = []
    advance = Run.advance

    def counted(run: Run) -> bool:
        updates.append(run)
        return advance(run)

    monkeypatch.setattr(Run, "advance", counted)
    record = on_two(store, trial)
    steps = len(updates)
    monkeypatch.setattr(Run, "advance", advance)
    assert not others()
    manifest = store.manifest(trial_prefix(trial.key))
    assert manifest is not None
    assert manifest.provenance["processes"] == 2

    data = data_of(store.address, trial.corpus)
    split = (data.pieces["train"], data.pieces["valid"], data.corpus.width)
    undisturbed = together(2, lambda ranks: train_stack([trial], *split, ranks=ranks)[trial.key])[0]
    assert steps < undisturbed.updates, "it went on from the checkpoint"
    assert record.valid == undisturbed.best.valid
    weights = load(store.read(trial_prefix(trial.key), "weights.safetensors"))
    assert weights.keys() == undisturbed.weights.keys()
    assert all(torch.equal(weights[name], undisturbed.weights[name]) for name in weights)
    alone = train(trial, *split)
    np.testing.assert_allclose(
        [epoch.valid for epoch in undisturbed.curve], [epoch.valid for epoch in alone.curve], rtol=1e-4
    )


def test_a_process_that_does_not_start_is_named(
    store: Store,
    trial: Trial,
    tmp_path: Path,
    others: Callable[[], list[psutil.Process]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program in the place of Python: it says why it cannot, as one without memory would."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho 'MemoryError: no memory' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    with (
        pytest.raises(ProcessError, match="process 2 of the 2 that train the trial ended: MemoryError: no memory"),
        processes(2, store.address, trial, None, "cpu"),
    ):
        raise AssertionError("never here")
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(module, "READY_SECONDS", 0.2)
    with (
        pytest.raises(ProcessError, match=r"not all of the 2 processes of the trial came in 0\.2 s"),
        processes(2, store.address, trial, None, "cpu"),
    ):
        raise AssertionError("never here")
    assert not others()


def test_a_trial_on_one_process_starts_no_other(trial: Trial, others: Callable[[], list[psutil.Process]]) -> None:
    with processes(1, "./nowhere", trial, None, "cpu") as ranks:
        assert ranks is None
    assert not others()


def test_the_other_ranks_read_what_they_are_handed(tmp_path: Path) -> None:
    trial = examples.trial("CM")
    pieces = Pieces.from_arrays(examples.music([5, 4, 3]))
    run = Run([trial], pieces, pieces, 5)
    run.advance()
    (checkpoint,) = run.checkpoints()
    handed = Handed(tmp_path, "s3://bucket/store", trial, checkpoint, torch.device("cpu"), 2, 1)
    handed.write()
    read = Handed.read(tmp_path)
    assert (read.store, read.trial, read.device, read.count, read.threads) == (
        "s3://bucket/store",
        trial,
        handed.device,
        2,
        1,
    )
    assert read.checkpoint is not None
    assert read.checkpoint.to_json() == checkpoint.to_json()
    assert all(torch.equal(read.checkpoint.tensors[name], each) for name, each in checkpoint.tensors.items())
    assert read.of_rank(1) == read
    Handed(tmp_path, "store", trial, None, torch.device("cpu"), 2, 1).write()
    assert Handed.read(tmp_path).checkpoint is None


def test_each_rank_has_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    handed = Handed(tmp_path, "store", examples.trial(), None, torch.device("cuda", 2), 2, 1)
    assert [handed.of_rank(number).device for number in (0, 1)] == [torch.device("cuda", 2), torch.device("cuda", 3)]
    with pytest.raises(ValueError, match="a trial on 3 processes wants a GPU for each: this worker sees 4"):
        Handed(tmp_path, "store", examples.trial(), None, torch.device("cuda", 2), 3, 1).of_rank(2)
