"""A store of before manifests and pointers had checksums is read, verified and gone on with, nothing trained anew."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import counterpoint
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from infra.provenance import provenance
from infra.store import Store
from models.trial import Trial
from tasks.publishing.fingerprint import made_from
from tasks.publishing.publish import publish, published_reports, pull_report
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials import train as training
from tasks.trials.ledger import Ledger
from tasks.trials.records import sample_prefix
from tasks.upkeep.verify import verify_store
from tests.tasks.conftest import Finished
from tests.tasks.here import train_here
from tests.tasks.older import as_before_checksums


@pytest.fixture
def older(finished: Finished, tmp_path: Path) -> Path:
    """The finished campaign with a report, as that version stored it."""
    root = f"/{finished.store.address.removeprefix('memory://')}"
    for path in MemoryFileSystem().find(root):
        target = tmp_path / "store" / Path(path).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(MemoryFileSystem().cat_file(path))
    publish(Store(str(tmp_path / "store")), {"index.html": b"<p>old"}, {"made_from": "digest"})
    as_before_checksums(tmp_path / "store")
    return tmp_path / "store"


def test_it_is_read_and_verified(finished: Finished, older: Path, tmp_path: Path) -> None:
    store = Store(str(older))
    found = verify_store(store)
    assert found.damaged == ()
    assert found.noticed == (
        f"{found.commits} commits are older than checksums: of their manifests the form alone was checked",
    )
    (report,) = published_reports(store, pytest.fail)
    assert pull_report(store, report.version, tmp_path / "pulled").read_text() == "<p>old"
    assert len(counterpoint.load_trials(str(older))) == len(finished.search) + len(finished.finals)
    assert len(counterpoint.load_samples(str(older))) == len(finished.finals)


def test_it_is_gone_on_with_and_nothing_is_trained_anew(finished: Finished, older: Path, monkeypatch: Any) -> None:
    store, train_stack, trained = Store(str(older)), training.train_stack, []

    def told(stack: Sequence[Trial], *rest: Any) -> Any:
        trained.extend(trial.key for trial in stack)
        return train_stack(stack, *rest)

    monkeypatch.setattr("tasks.trials.train.train_stack", told)
    ledger = Ledger(store)
    larger = replace(finished.campaign, seeds=finished.campaign.seeds + 1)
    records = ledger.records(Search(larger, finished.digests).trials({}))
    finals = Search(larger, finished.digests).finals(records)
    new = {trial.key for trial in finals} - {record.trial.key for record in finished.finals}
    assert {trial.key for trial in ledger.unfinished(finals, scored=True)} == new
    for trial in [*(record.trial for record in finished.search), *finals[:3]]:
        train_here(store, trial)
    assert set(trained) == {trial.key for trial in finals[:3]} & new
    clean = provenance() | {"dirty": False}
    assert made_from(Standing(Ledger(store), Search(finished.campaign, finished.digests)), clean) is not None
    assert verify_store(store).damaged == ()


def test_samples_that_were_deleted_are_named(finished: Finished, older: Path) -> None:
    """The score is there, and so is the kind of the corpus: nothing else speaks of a sample."""
    shutil.rmtree(older / "samples")
    told = [line for line in verify_store(Store(str(older))).noticed if line.startswith("samples/")]
    assert [line.partition(":")[0] for line in told] == sorted(
        sample_prefix(record.trial.key) for record in finished.finals
    )
