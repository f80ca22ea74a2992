"""A stage of a campaign on a cluster: trials go out in portions, and the stage waits for its end.

Portions are Prefect tasks; what comes back from them is small, since the results are in the store. The store is the
ledger: after each round it is asked what is there. What is missing then (a trial that raised, or that was lost with its
worker, perhaps by another one's fault) goes out once more, each trial alone. Dask blames a death on all that waited at
that worker, so those that are lost again are run one after the other: then none but the culprit is lost. What is
missing after that is named with its reason, and the campaign goes on.
"""

from collections.abc import Mapping, Sequence

from prefect.futures import PrefectFuture

from infra.crew import Crew
from infra.progress import show_progress
from models.trial import Trial
from tasks.clock import Clock
from tasks.ledger import Ledger
from tasks.plan import portions
from tasks.portion import run_portion

_KILLED = "its worker was killed, again and again: out of memory, perhaps"
_ELSEWHERE = "it ended, and is not in the store: do the workers have this version of the software?"


def run_all(
    ledger: Ledger, trials: Sequence[Trial], digests: Mapping[str, str], clock: Clock, crew: Crew, *, final: bool
) -> dict[str, str]:
    """Train the trials that are not stored, score them if they are final ones, and wait.

    Args:
        ledger: what is stored.
        trials: what is asked for.
        digests: digest of each corpus, by name.
        clock: estimates by which the work is cut.
        crew: who works.
        final: whether they are fresh seeds of chosen configurations, which are scored on test.

    Returns:
        The reason of every trial that did not come to an end, by key.

    Raises:
        ClusterError: there is work and no cluster, or its workers are gone and do not come back.
    """
    names = {digest: corpus for corpus, digest in digests.items()}
    label = "seeds" if final else "search"
    reasons: dict[str, str] = {}
    if missing := ledger.unfinished(trials, scored=final):
        first = portions(missing, clock.seconds, crew.size, on_gpus=crew.on_gpus)
        reasons |= _round(ledger, first, names, crew, label, final=final)
    if missing := ledger.unfinished(missing, scored=final):
        reasons |= _round(ledger, [[trial] for trial in missing], names, crew, f"{label} again", final=final)
    for trial in ledger.unfinished(missing, scored=final):
        if reasons.get(trial.key) == _KILLED:
            reasons |= _round(ledger, [[trial]], names, crew, f"{label} alone", final=final)
    return {trial.key: reasons.get(trial.key, _ELSEWHERE) for trial in ledger.unfinished(missing, scored=final)}


def _round(
    ledger: Ledger, cut: Sequence[Sequence[Trial]], names: Mapping[str, str], crew: Crew, label: str, *, final: bool
) -> dict[str, str]:
    """Send the portions out and wait for all of them; the reasons of what failed, by key."""
    reasons: dict[str, str] = {}
    keys = {trial.key for portion in cut for trial in portion}
    with show_progress(crew.client, len(keys), label, keys=keys):
        submitted: list[tuple[Sequence[Trial], PrefectFuture[list[dict[str, str]]]]] = []
        for number, portion in enumerate(cut, 1):
            corpus = names[portion[0].corpus]
            values = [trial.to_json() for trial in portion]
            name = f"{label} {number}, {corpus}"
            submitted.append((portion, run_portion.submit(ledger.store.address, values, corpus, name, final)))
        results = crew.gather([future for _, future in submitted])
        for (portion, _), result in zip(submitted, results, strict=True):
            reasons |= _outcome(portion, result)
    return reasons


def _outcome(portion: Sequence[Trial], result: list[dict[str, str]] | Exception) -> dict[str, str]:
    """Reasons of a portion's failed trials; where the task itself was lost, one reason for all of its trials."""
    if isinstance(result, Exception):
        return {trial.key: _lost(result) for trial in portion}
    return {failure["key"]: failure["reason"] for failure in result}


def _lost(error: Exception) -> str:
    name, first = type(error).__name__, (str(error).splitlines() or [""])[0]
    if name == "KilledWorker":
        return _KILLED
    return f"its portion of work was lost: {name}: {first}"
