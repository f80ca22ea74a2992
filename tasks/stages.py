"""A stage of a campaign on a cluster: trials go out in portions, and the stage waits for its end.

Portions are Prefect tasks; what comes back from them is small, since the results are in the store. The store is the
ledger: after a stage it is asked what is there. A portion whose workers were killed under it
leaves its finished trials in the store and the others named, with the reason, and the campaign goes on.
"""

from collections.abc import Mapping, Sequence

from prefect.futures import PrefectFuture

from infra.crew import Crew
from infra.progress import show_progress
from infra.store import Store
from models.trial import Trial
from tasks.clock import Clock
from tasks.plan import portions
from tasks.portion import run_portion
from tasks.records import unfinished


def run_all(
    store: Store, trials: Sequence[Trial], digests: Mapping[str, str], clock: Clock, crew: Crew, *, final: bool
) -> dict[str, str]:
    """Train trials, score them if they are final ones, and wait.

    Args:
        store: where they are committed.
        trials: none of them done yet.
        digests: digest of each corpus, by name.
        clock: estimates by which the work is cut.
        crew: who works.
        final: whether they are fresh seeds of chosen configurations, which are scored on test.

    Returns:
        The reason of every trial that did not come to an end, by key.
    """
    if not trials:
        return {}
    names = {digest: corpus for corpus, digest in digests.items()}
    label = "seeds" if final else "search"
    reasons: dict[str, str] = {}
    with show_progress(crew.client, len(trials), label):
        submitted = []
        for number, portion in enumerate(portions(trials, clock.seconds, crew.size), 1):
            corpus = names[portion[0].corpus]
            values = [trial.to_json() for trial in portion]
            future = run_portion.submit(store.address, values, corpus, f"{label} {number}, {corpus}", final)
            submitted.append((portion, future))
        for portion, future in submitted:
            reasons |= _outcome(portion, future)
    ended = {trial.key for trial in trials} - {trial.key for trial in unfinished(store, trials, scored=final)}
    return {key: reason for key, reason in reasons.items() if key not in ended}


def _outcome(portion: Sequence[Trial], future: "PrefectFuture[list[dict[str, str]]]") -> dict[str, str]:
    """Reasons of a portion's failed trials; where the task itself was lost, one reason for all of its trials."""
    try:
        return {failure["key"]: failure["reason"] for failure in future.result()}
    except Exception as error:  # the boundary: workers that were killed raise what Dask or Prefect make of it
        reason = f"its worker was lost: {type(error).__name__}: {error}".splitlines()[0]
        return {trial.key: reason for trial in portion}
