"""A portion of a campaign's trials, as one Prefect task on one worker.

A worker asks the store before each trial, and commits each as it ends: a worker that dies costs what the trial it was
at did since its last checkpoint. A trial that raises is named with its reason and does not disturb the others. Every
second it is asked whether anybody still waits for the portion: where the flow run was cancelled or its process is gone,
the work stops, and leaves a checkpoint.
"""

from collections.abc import Sequence
from typing import Any

import torch
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from infra.clusters import given_up
from infra.progress import report_progress
from infra.store import Store
from models.trial import Trial
from tasks.evaluate import ensure_scored
from tasks.records import TrialRecord
from tasks.samples import ensure_sampled
from tasks.train import GivenUp, ensure_trained


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_portion(
    store_address: str, trials: Sequence[dict[str, Any]], corpus: str, name: str, score: bool
) -> list[dict[str, str]]:
    """Train some trials one after the other, and score them where that is asked.

    Args:
        store_address: where everything is committed.
        trials: `Trial.to_json()` of each, all of one corpus.
        corpus: its name.
        name: what the task run is called.
        score: whether those that completed are scored on test: for fresh seeds of a chosen configuration only.

    Returns:
        For each trial that failed, its `key` and the `reason`.
    """
    torch.set_num_threads(1)
    store = Store(store_address)
    failures = []
    for trial in map(Trial.from_json, trials):
        ended: dict[str, Any] = {"status": "failed", "valid": None, "seconds": None}
        try:
            record = _run(store, trial, score)
        except GivenUp:
            raise
        except Exception as error:  # the boundary: one trial's failure, whatever it is, must not end the others
            get_run_logger().exception("%s, trial %s failed", trial.variant, trial.key[:12])
            failures.append({"key": trial.key, "reason": f"{type(error).__name__}: {error}".splitlines()[0]})
        else:
            ended = {"status": record.status, "valid": record.valid, "seconds": record.seconds}
        report_progress({"kind": "trial", "key": trial.key, "corpus": corpus, "variant": trial.variant, **ended})
    return failures


def _run(store: Store, trial: Trial, score: bool) -> TrialRecord:
    record = ensure_trained(store, trial, given_up)
    if score and record.status == "completed":
        ensure_scored(store, record)
        ensure_sampled(store, record)
    return record
