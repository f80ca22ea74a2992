"""A stage of a campaign on a cluster: trials go out in portions, and the stage waits for its end.

Portions are Prefect tasks; what comes back from them is small, since the results are in the store. The store is the
ledger: after each round it is asked what is there. What raised goes out once more, in portions again. What was lost
with its worker, perhaps by another one's fault, goes out once more too, each trial as a task of its own. Dask blames a
death on all that waited at that worker, so those that are lost again are run one after the other: then none but the
culprit is lost. What is missing after that is named with its reason, and the campaign goes on. After each round every
kind of reason is told once.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger

from infra.cluster.crew import Crew
from infra.cluster.progress import show_progress
from infra.server.handed_settings import settings_handed_once
from models.trial import Trial
from tasks.ingest import corpus_kind
from tasks.report.numbers.metrics import validation_score
from tasks.search.cost import Clock
from tasks.search.plan import portions
from tasks.search.search import Search
from tasks.trials.failures import Failure, told
from tasks.trials.job import run_portion
from tasks.trials.ledger import Ledger
from tasks.trials.rung import Rung, clear_rungs

_KILLED = "its worker was killed, again and again: out of memory, perhaps"
_LOST = "its portion of work was lost: "
_ELSEWHERE = "it ended, and is not in the store: do the workers have this version of the software?"


def run_search(ledger: Ledger, search: Search, clock: Clock, crew: Crew) -> dict[str, str]:
    """Train a search rung by rung, and clear what was kept for it where it is over.

    Arguments, the reasons that come back and errors are those of `run_all`.
    """
    reasons: dict[str, str] = {}
    for number in range(search.rungs):
        trials = search.rung(number, search.look(ledger.records))
        rung = search.hanging(number, trials)
        reasons |= run_all(ledger, trials, search.digests, clock, crew, final=False, rung=rung)
    clear_rungs(ledger, search.left_behind(search.look(ledger.records)))
    return reasons


def run_all(
    ledger: Ledger,
    trials: Sequence[Trial],
    digests: Mapping[str, str],
    clock: Clock,
    crew: Crew,
    *,
    final: bool,
    rung: Rung | None = None,
) -> dict[str, str]:
    """Train the trials that are not stored, score them if they are final ones, and wait.

    Args:
        ledger: what is stored.
        trials: what is asked for.
        digests: digest of each corpus, by name.
        clock: estimates by which the work is cut.
        crew: who works.
        final: whether they are fresh seeds of chosen configurations, which are scored on test.
        rung: which of them go on from shorter ones, and whose end is kept; none where each has its own start and end.

    Returns:
        The reason of every trial that did not come to an end, by key.

    Raises:
        ClusterError: there is work and no cluster, or its workers are gone and do not come back.
    """
    names = {digest: corpus for corpus, digest in digests.items()}
    rung = rung or Rung()
    label = "seeds" if final else rung.label
    left = rung.left(clock.seconds)
    train = partial(_round, ledger, names=names, crew=crew, final=final, rung=rung)
    reasons: dict[str, str] = {}
    if missing := ledger.unfinished(trials, scored=final):
        first = portions(missing, left, crew.size, on_gpus=crew.on_gpus)
        reasons |= train(first, label)
    if missing := ledger.unfinished(missing, scored=final):
        lost = [trial for trial in missing if _was_lost(reasons.get(trial.key, ""))]
        raised = [trial for trial in missing if trial not in lost]
        again = [*portions(raised, left, crew.size), *([trial] for trial in lost)]
        reasons |= train(again, f"{label} again", alone=True)
    for trial in ledger.unfinished(missing, scored=final):
        if reasons.get(trial.key) == _KILLED:
            reasons |= train([[trial]], f"{label} alone")
    return {trial.key: reasons.get(trial.key, _ELSEWHERE) for trial in ledger.unfinished(missing, scored=final)}


def _round(
    ledger: Ledger,
    cut: Sequence[Sequence[Trial]],
    label: str,
    *,
    names: Mapping[str, str],
    crew: Crew,
    final: bool,
    rung: Rung,
    alone: bool = False,
) -> dict[str, str]:
    """Send the portions out and wait for all of them; the reasons of what failed, by key."""
    failures: list[Failure] = []
    asked = {trial.key: trial for portion in cut for trial in portion}
    kinds = {corpus: corpus_kind(corpus, ledger.store) for corpus in names.values()}
    shown = show_progress(
        crew.client, len(asked), label, keys=set(asked), score=lambda corpus, v: validation_score(kinds[corpus], v)
    )
    logger = get_run_logger()
    logger.info("%s: %d trials in %d portions", label, len(asked), len(cut))
    with crew.scheduler_watched(), shown as progress:
        submitted: list[tuple[Sequence[Trial], PrefectFuture[list[Failure]]]] = []
        with settings_handed_once():
            for number, portion in enumerate(cut, 1):
                corpus = names[portion[0].corpus]
                values, its = [trial.to_json() for trial in portion], rung.of(portion).to_json()
                name = f"{label} {number}, {corpus}"
                future = run_portion.submit(ledger.store.address, values, corpus, name, final, alone, its)
                submitted.append((portion, future))
        results = crew.gather([future for _, future in submitted])
        for (portion, _), result in zip(submitted, results, strict=True):
            failures += _outcome(portion, result)
    for line in told(failures, asked, names):
        logger.warning("%s: %s", label, line)
    logger.info("%s", progress.summary())
    return {failure["key"]: failure["reason"] for failure in failures}


def _outcome(portion: Sequence[Trial], result: list[Failure] | Exception) -> list[Failure]:
    """A portion's failed trials; where the task itself was lost, all of its trials for one reason."""
    if isinstance(result, Exception):
        return [{"key": trial.key, "reason": _lost(result)} for trial in portion]
    return result


def _lost(error: Exception) -> str:
    name, first = type(error).__name__, (str(error).splitlines() or [""])[0]
    return _KILLED if name == "KilledWorker" else f"{_LOST}{name}: {first}"


def _was_lost(reason: str) -> bool:
    return reason == _KILLED or reason.startswith(_LOST)
