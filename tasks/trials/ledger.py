"""The stored results of trials. A record never changes, so the ledger reads each one once and remembers it.

A flow has one ledger and hands it to its stages: so plan, search, seeds and report together read every record once. A
missing record is looked for again each time, since workers may have written it.

What this does not do: decide anything by a listing, or remember across flow runs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.cluster.progress import say
from infra.store import Store
from models.data_kinds import LAST_STEP_ALONE, Kind
from models.trial import Trial
from tasks.ingest.stored import load_kind
from tasks.telling.readable import passed_over, readable
from tasks.trials.records import (
    TrialRecord,
    load_record_with_digest,
    sample_prefix,
    score_prefix,
    stored_keys,
    trial_prefix,
)


@dataclass(frozen=True)
class Finals:
    """The stored results of some final trials.

    Attributes:
        records: the stored records, by key.
        owed: the missing scores and samples of completed trials, by key; see `Ledger.owed`.
        unfinished: the trials without a record, or with a missing score or sample.
        made: the sha256 of the objects of their stored scores and samples, by prefix.
        measured: the `commits`, `processors` and versions of `torch` that scored them, each sorted.
    """

    records: dict[str, TrialRecord]
    owed: dict[str, list[str]]
    unfinished: list[Trial]
    made: dict[str, list[str]]
    measured: dict[str, list[str]]


class Ledger:
    """The records of trials, and the missing scores and samples of final ones.

    Args:
        store: the store of the trials.
        tell: is called with one line for each result that is stored and cannot be used.

    Attributes:
        store: the store of the trials.
        unreadable: why a stored result of a trial cannot be used, by key; to the campaign it is missing.
        digests: of the manifest of every commit that was read, by prefix.
    """

    def __init__(self, store: Store, tell: Callable[[str], None] = say) -> None:
        self.store = store
        self._say = tell
        self.unreadable: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self._records: dict[str, TrialRecord] = {}
        self._objects: dict[str, list[str]] = {}
        self._made_with: dict[str, Mapping[str, Any]] = {}
        self._kinds: dict[str, Kind] = {}

    def records(self, trials: Iterable[Trial]) -> dict[str, TrialRecord]:
        """The records of the trials that are stored, by key, in the order of the argument."""
        keys = [trial.key for trial in trials]
        unknown = [key for key in dict.fromkeys(keys) if key not in self._records]
        found, reasons = readable(lambda key: load_record_with_digest(self.store, key), unknown)
        self._records |= {key: record for key, (record, _) in found.items()}
        self.digests |= {trial_prefix(key): digest for key, (_, digest) in found.items()}
        self._tell(reasons)
        return {key: self._records[key] for key in keys if key in self._records}

    def unfinished(self, trials: Iterable[Trial], *, scored: bool) -> list[Trial]:
        """The trials without a record, each once; with `scored` also those that lack a score or sample (see `owed`)."""
        distinct = {trial.key: trial for trial in trials}
        records = self.records(distinct.values())
        owing = self.owed(distinct.values()) if scored else {}
        return [trial for key, trial in distinct.items() if key not in records or key in owing]

    def finals(self, trials: Iterable[Trial]) -> Finals:
        """The stored results of final trials, read from the store once."""
        distinct = {trial.key: trial for trial in trials}
        records, owed = self.records(distinct.values()), self.owed(distinct.values())
        prefixes = [place(key) for key in distinct for place in (score_prefix, sample_prefix)]
        return Finals(
            records,
            owed,
            unfinished=[trial for key, trial in distinct.items() if key not in records or key in owed],
            made={prefix: self._objects[prefix] for prefix in prefixes if prefix in self._objects},
            measured=self._measured(map(score_prefix, distinct)),
        )

    def outdated(self, trials: Iterable[Trial]) -> int:
        """How many of the trials are stored by an older version of the numerics, whose results are not used.

        Only told, so that a listing may tell it; the older keys are made only where the store has other trials.
        """
        if not (missing := list(trials)):
            return 0
        others = set(stored_keys(self.store, "trials")) - self._records.keys()
        return sum(not others.isdisjoint(trial.older_keys) for trial in missing) if others else 0

    def owed(self, finals: Iterable[Trial]) -> dict[str, list[str]]:
        """The missing results of completed final trials, by key: `score`, and `sample` if the kind of corpus has one.

        Record, score and sample are separate commits, and a worker may stop between any two of them.
        """
        records = self.records(finals)
        corpora = {key: record.trial.corpus for key, record in records.items() if record.status == "completed"}
        self._look(place(key) for key in corpora for place in (score_prefix, sample_prefix))
        owing = {}
        for key, corpus in corpora.items():
            lacks = [] if score_prefix(key) in self._objects else ["score"]
            if sample_prefix(key) not in self._objects and self._kind(corpus) not in LAST_STEP_ALONE:
                lacks.append("sample")
            if lacks:
                owing[key] = lacks
        return owing

    def _measured(self, scores: Iterable[str]) -> dict[str, list[str]]:
        """With what they were scored. A report may be made elsewhere, and later. What no manifest tells is left out."""
        made = [self._made_with[prefix] for prefix in scores if prefix in self._made_with]
        told = {
            "commits": {each.get("commit") for each in made},
            "processors": {each.get("processor") for each in made},
            "torch": {(each.get("versions") or {}).get("torch") for each in made},
        }
        return {name: sorted(filter(None, values)) for name, values in told.items()}

    def _look(self, prefixes: Iterable[str]) -> None:
        """Ask for the commits that were not there when they were last asked for."""
        found, reasons = readable(self.store.manifest, sorted(set(prefixes) - set(self._objects)))
        self._objects |= {prefix: [item.sha256 for item in manifest.objects] for prefix, manifest in found.items()}
        self._made_with |= {prefix: manifest.provenance for prefix, manifest in found.items()}
        self.digests |= {prefix: manifest.digest for prefix, manifest in found.items()}
        self._tell({prefix.rpartition("/")[2]: why for prefix, why in reasons.items()})

    def _tell(self, reasons: Mapping[str, str]) -> None:
        for line in passed_over({key: why for key, why in reasons.items() if key not in self.unreadable}):
            self._say(line)
        self.unreadable |= reasons

    def _kind(self, digest: str) -> Kind:
        if digest not in self._kinds:
            self._kinds[digest] = load_kind(self.store, digest)
        return self._kinds[digest]
