"""A stage of a campaign on a cluster: its trials are sent out in jobs, and the stage waits until they end.

A job is a Prefect task. It returns little, for its results are in the store. After each round the store is asked which
trials it has, and the others are sent again:

1. A trial that raised is sent once more, in a job with others.
2. A trial that was lost with its worker is sent once more, as a task of its own: another trial may have killed the
   worker.
3. A trial that is lost a second time is run with no other trial beside it. Dask marks every task that is queued on a
   dead worker as failed, so only this shows which trial kills its worker.

A trial that is still missing is reported with its reason, and the campaign goes on. After each round each kind of
reason is reported once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger

from infra.cluster.progress import show_progress
from infra.cluster.workers import Workers
from infra.errors import ConfigurationError
from infra.server.handed_settings import settings_handed_once
from models.training.updates.split_gradient import why_not_split
from models.trial import Trial
from tasks.report.numbers.metrics import validation_score
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.search.trial_times import TrialTimes
from tasks.trials.checkpoints import clear_checkpoints
from tasks.trials.devices import stacks
from tasks.trials.failures import Failure, told
from tasks.trials.job import run_job
from tasks.trials.ledger import Ledger
from tasks.trials.rung import Rung

_KILLED = "its worker was killed, again and again: out of memory, perhaps"
_LOST = "its job was lost: "
_ELSEWHERE = "it ended, and is not in the store: do the workers have this version of the software?"


def run_all(standing: Standing, times: TrialTimes, workers: Workers) -> dict[str, str]:
    """Train a search rung by rung; then train the chosen configurations with fresh seeds, and score these on test.

    Checkpoints that were kept for the next rung are removed once the search is over.

    Args:
        standing: of the campaign's search, as the plan was made from it; what it has found is not read again.
        times: estimates the seconds of trials, by which they are put into jobs.
        workers: they train the trials.

    Returns:
        The reason of every trial that did not come to an end, by key.

    Raises:
        ClusterError: there is work and no cluster, or its workers are gone and do not come back.
        ConfigurationError: a trial is to be trained by several processes, and cannot.
    """
    search, ledger = standing.search, standing.ledger
    reasons: dict[str, str] = {}
    if workers.processes > 1:
        _check_split(search.stage(0, standing.halvings)[0], workers.processes)
    for number in range(search.rungs):
        trials, rung = search.stage(number, standing.halvings)
        if missing := [trial for trial in trials if trial.key not in standing.records]:
            reasons |= Stage(search, ledger, times, workers, rung).run(missing)
            standing = Standing(ledger, search)
    clear_checkpoints(ledger.store, standing.left_behind)
    if missing := standing.ended.unfinished:
        reasons |= Stage(search, ledger, times, workers, Rung(label="seeds"), scored=True).run(missing)
    return reasons


def _check_split(trials: Sequence[Trial], processes: int) -> None:
    """Refuse a campaign in which a trial cannot be trained by so many processes."""
    for trial in trials:
        if (why := why_not_split(trial, processes)) is not None:
            raise ConfigurationError(
                f"--processes-per-trial {processes}: {trial.variant}: {why}; leave the option out, or such variants"
            )


@dataclass(frozen=True)
class Stage:
    """Trials of a campaign that are sent out together.

    Attributes:
        search: the campaign's search.
        ledger: the stored records.
        times: estimates the seconds of trials, by which they are put into jobs.
        workers: they train the trials.
        rung: which trials continue shorter ones, which keep their last checkpoint, and the label of the stage.
        scored: whether the trials are scored on test; only for fresh seeds of chosen configurations.
    """

    search: Search
    ledger: Ledger
    times: TrialTimes
    workers: Workers
    rung: Rung
    scored: bool = False

    def run(self, missing: Sequence[Trial]) -> dict[str, str]:
        """Train trials that were just found not to be stored, score them if the stage says so, and wait.

        Returns:
            The reason of every trial that did not come to an end, by key.

        Raises:
            ClusterError: there is work and no cluster, or its workers are gone and do not come back.
        """
        label = self.rung.label
        side_by_side = self.workers.on_gpus and self.workers.processes == 1
        reasons = self._round(cut_into_jobs(missing, self._seconds, self.workers.size, on_gpus=side_by_side), label)
        if missing := self._unfinished(missing):
            lost = [trial for trial in missing if _was_lost(reasons.get(trial.key, ""))]
            raised = [trial for trial in missing if not _was_lost(reasons.get(trial.key, ""))]
            again = [*cut_into_jobs(raised, self._seconds, self.workers.size), *([trial] for trial in lost)]
            reasons |= self._round(again, f"{label} again", alone=True)
        for trial in self._unfinished(missing):
            if reasons.get(trial.key) == _KILLED:
                reasons |= self._round([[trial]], f"{label} alone")
        return {trial.key: reasons.get(trial.key, _ELSEWHERE) for trial in self._unfinished(missing)}

    def _unfinished(self, trials: Sequence[Trial]) -> list[Trial]:
        return self.ledger.unfinished(trials, scored=self.scored)

    def _seconds(self, trial: Trial) -> float:
        """Estimated seconds that a trial still needs; one that continues a shorter trial needs the difference."""
        shorter = self.rung.shorter(trial)
        return self.times.seconds(trial) - (0.0 if shorter is None else self.times.seconds(shorter))

    def _round(self, jobs: Sequence[Sequence[Trial]], label: str, *, alone: bool = False) -> dict[str, str]:
        """Send jobs out and wait for all of them; the reasons of what failed, by key."""
        failures: list[Failure] = []
        names, kinds = self.search.names, self.search.campaign.kinds
        asked = {trial.key: trial for job in jobs for trial in job}
        shown = show_progress(
            self.workers.client,
            len(asked),
            label,
            keys=set(asked),
            score=lambda corpus, valid: validation_score(kinds[corpus], valid),
        )
        logger = get_run_logger()
        logger.info("%s: %d trials in %d jobs", label, len(asked), len(jobs))
        with self.workers.scheduler_watched(), shown as progress:
            with settings_handed_once(), self.workers.resources_asked():
                futures = [self._submit(job, f"{label} {number}", alone) for number, job in enumerate(jobs, 1)]
            for job, result in zip(jobs, self.workers.gather(futures), strict=True):
                failures += _outcome(job, result)
        for line in told(failures, asked, names):
            logger.warning("%s: %s", label, line)
        logger.info("%s", progress.summary())
        return {failure["key"]: failure["reason"] for failure in failures}

    def _submit(self, job: Sequence[Trial], label: str, alone: bool) -> PrefectFuture[list[Failure]]:
        corpus = self.search.names[job[0].corpus]
        trials, rung = [trial.to_json() for trial in job], self.rung.to_json(job)
        place, name, processes = self.ledger.store.address, f"{label}, {corpus}", self.workers.processes
        return run_job.submit(place, trials, corpus, name, self.scored, alone, rung, processes)


def cut_into_jobs(
    trials: Sequence[Trial], seconds: Callable[[Trial], float], workers: int, *, on_gpus: bool = False
) -> list[list[Trial]]:
    """Cut trials into jobs, the longest first.

    Few enough that Prefect's database does not suffer, small enough that the workers end together: eight to sixteen
    for each worker. A job keeps to one corpus, so that a worker loads few.

    Args:
        trials: what is to be trained.
        seconds: estimate for a trial.
        workers: number of processes.
        on_gpus: whether trials of one shape train side by side. Then they are one job, but no more of them than
            leave something for every worker.
    """
    if on_gpus:
        together = stacks(trials, ceil(len(trials) / workers))
        return sorted(together, key=lambda stack: -sum(map(seconds, stack)))
    costs = sorted(((seconds(trial), trial) for trial in trials), key=lambda pair: (pair[1].corpus, -pair[0]))
    limit = sum(cost for cost, _ in costs) / (8 * workers)
    cut: list[tuple[float, list[Trial]]] = []
    for cost, trial in costs:
        so_far, last = cut[-1] if cut else (0.0, [])
        if last and last[0].corpus == trial.corpus and so_far + cost <= limit:
            cut[-1] = (so_far + cost, [*last, trial])
        else:
            cut.append((cost, [trial]))
    return [job for _, job in sorted(cut, key=lambda pair: -pair[0])]


def _outcome(job: Sequence[Trial], result: list[Failure] | Exception) -> list[Failure]:
    """The trials of a job that failed; where the task itself was lost, all of its trials for one reason."""
    if isinstance(result, Exception):
        return [{"key": trial.key, "reason": _lost(result)} for trial in job]
    return result


def _lost(error: Exception) -> str:
    name, first = type(error).__name__, (str(error).splitlines() or [""])[0]
    return _KILLED if name == "KilledWorker" else f"{_LOST}{name}: {first}"


def _was_lost(reason: str) -> bool:
    return reason == _KILLED or reason.startswith(_LOST)
