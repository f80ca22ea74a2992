"""A job: some of a campaign's trials, as one Prefect task on one worker.

The worker skips trials that the store has, and commits each trial when it ends. If a worker dies, only the work since
the last checkpoint is lost. A trial that raises is reported with its reason and does not disturb the others, unless all
raise for one reason (`failures.py`). On a GPU trials of one shape train side by side (`devices.py`). An error there
counts for all of them, and the next round tries each by itself. Once a second the worker asks whether its flow run
still waits for the job. If the flow run was cancelled or its process is gone, the work stops and leaves a checkpoint.
"""

from collections.abc import Sequence
from typing import Any

import torch
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from infra.cluster.clusters import given_up
from infra.cluster.progress import report_progress
from infra.store import Store
from models.trial import Trial
from tasks.trials.data import TrialData, data_for
from tasks.trials.devices import members_at_once, stacks, training_device
from tasks.trials.failures import Failure, Failures
from tasks.trials.rung import Rung
from tasks.trials.samples import ensure_sampled
from tasks.trials.scoring import ensure_scored
from tasks.trials.train import GivenUp, ensure_trained
from tasks.trials.trained import Trained

_NOTHING = {"status": "failed", "valid": None, "seconds": None}
"""What is told of a trial that raised."""


@task(task_run_name="{name}", cache_policy=NO_CACHE)
def run_job(
    store_address: str,
    trials: Sequence[dict[str, Any]],
    corpus: str,
    name: str,
    score: bool,
    alone: bool = False,
    rung: dict[str, Any] | None = None,
    processes: int = 1,
) -> list[Failure]:
    """Train some trials, and with `score` score them on test.

    Args:
        store_address: the store that everything is committed to.
        trials: `Trial.to_json()` of each, all of one corpus.
        corpus: name of the corpus.
        name: name of the task run.
        score: whether completed trials are scored on test; only for fresh seeds of a chosen configuration.
        alone: whether each trial is trained by itself, not side by side.
        rung: `Rung.to_json()` of these trials, if some continue shorter ones or may be continued.
        processes: that train each trial together, this one included; over 1 no trials are trained side by side.

    Returns:
        The trials that failed.
    """
    torch.set_num_threads(1)
    store, device = Store(store_address, known=True), training_device(processes)
    asked = [Trial.from_json(values) for values in trials]
    data = data_for(store.address, asked)
    which = None if rung is None else Rung.from_json(rung)
    failures = Failures(stacks(asked, 1) if alone or processes > 1 else _stacks(data, asked, device))
    for stack in failures.stacks:
        ended: dict[str, dict[str, Any]] = {}
        if not failures.leave(stack):
            try:
                for record in ensure_trained(store, data, stack, given_up, device, which, processes):
                    if score and record.status == "completed":
                        trained = Trained(store, data, record.trial)
                        ensure_scored(trained)
                        ensure_sampled(trained)
                    outcome = {"status": record.status, "valid": record.valid, "seconds": record.seconds}
                    ended[record.trial.key] = outcome
                    failures.succeeded()
            except GivenUp:
                raise
            except Exception as error:  # the boundary: a stack's failure, whatever it is, must not end the others
                lost = [trial for trial in stack if trial.key not in ended]
                if failures.add(lost, error):  # on Prefect's page; the flow tells it once for all its jobs
                    get_run_logger().info("%s, trial %s failed", lost[0].variant, lost[0].key[:12], exc_info=True)
        for trial in stack:
            event = {"kind": "trial", "key": trial.key, "corpus": corpus, "variant": trial.variant}
            report_progress(event | ended.get(trial.key, _NOTHING))
    return failures.all


def _stacks(data: TrialData, trials: Sequence[Trial], device: torch.device) -> list[list[Trial]]:
    """The stacks that train side by side. On a processor each trial is alone, and the corpus need not be read."""
    if device.type == "cpu":
        return stacks(trials, 1)
    return stacks(trials, members_at_once(trials[0], data.corpus.width, device))
