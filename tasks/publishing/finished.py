"""Recognise a finished campaign from the store alone, without loading networks, trials or torch.

    finished/<digest of the request>.json   pointer: the report of a complete campaign, the report's fingerprint, and
                                            the scores as they are printed

A request is finished under these conditions. The noted report is still the newest of its preset. Code and library
versions are those that made it. Its corpora are still those that their names point to, and that their files give. Every
commit it was made from is unchanged. If one of these does not hold, or nothing was noted, the answer is None, and the
flow finds out.

What this does not do: note that a campaign is finished (`noting.py`), or repair anything.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from typing import Any, Self

from infra.provenance import provenance
from infra.server.schedule import seed_asked
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.ingest.building.recipe import HERE
from tasks.ingest.corpora import find_recipe
from tasks.ingest.names import find_name
from tasks.ingest.stored import hash_inputs, source_digest
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.publish import newest_made_from
from tasks.telling.blocks import Block, shown
from tasks.telling.readable import many, naming

FINISHED = "finished"
_PLACES = ("store", "cluster", "workers", "resources", "worker_timeout", "processes_per_trial")
_STRANGERS = ("techniques", "outputs", "optimizers", "cores", "corpora")
_SCAN_VARIABLES = ("COUNTERPOINT_SCAN", "CXX")
"""Variables that choose the kernel of the scan, which a report records."""


@dataclass(frozen=True)
class Finished:
    """A complete campaign, and its report.

    Attributes:
        version: of the report.
        preset: that the report is the newest of; None if the campaign changes its preset (then the newest of all).
        made_from: fingerprint of the report.
        code: value of `code_now` at that time.
        corpora: value of each name's pointer at that time, as in `Named`.
        commits: sha256 of the manifest of every commit that the report depends on, by prefix.
        trials: number of trials asked for.
        blocks: the scores, for a terminal.
        markdown: the scores, for Prefect's page.
    """

    version: str
    preset: str | None
    made_from: str
    code: Mapping[str, Any]
    corpora: Mapping[str, Mapping[str, Any]]
    commits: Mapping[str, str]
    trials: int
    blocks: tuple[Block, ...]
    markdown: str

    def to_json(self) -> dict[str, Any]:
        """The value of the pointer."""
        return asdict(self) | {"blocks": [block.to_json() for block in self.blocks]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The value that `to_json` made."""
        return cls(**{**values, "blocks": tuple(Block.from_json(each) for each in values["blocks"])})

    @property
    def line(self) -> str:
        """The line that is printed in place of a plan."""
        return f"all {self.trials} trials are stored: nothing to train, and the report is made from them"

    def outcome(self, store: Store) -> Outcome:
        """The campaign's outcome, as its flow returns it."""
        return Outcome(
            store.address, self.version, report_address(store, self.version), shown(self.blocks), self.trials, 0
        )


def report_address(store: Store, version: str) -> str:
    """The address of a report's page."""
    return f"{store.address}/reports/{version}/index.html"


def pointer_of(request: CampaignRequest, seed: int) -> str:
    """The name of a request's pointer, which does not depend on store, cluster and workers.

    Args:
        request: the request.
        seed: its seed as a number; a request with `day` or `week` has another one in each period.
    """
    asked = {name: value for name, value in asdict(request).items() if name not in _PLACES} | {"seed": seed}
    return f"{FINISHED}/{hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()}.json"


def code_now() -> dict[str, Any] | None:
    """Everything outside of the store that a report depends on, as JSON; None if the code differs from its commit."""
    current = provenance()
    if current["dirty"]:
        return None
    points = [point for kind in _STRANGERS for point in entry_points(group=f"counterpoint.{kind}")]
    packages = [[p.group, p.name, p.value, p.dist and p.dist.version] for p in points]
    chosen = {name: os.environ.get(name) for name in _SCAN_VARIABLES}
    return {name: current[name] for name in ("commit", "lock", "versions", "processor")} | {
        "strangers": sorted(packages, key=str),
        "bodies": chosen,
    }


def finished(store: Store, request: CampaignRequest) -> Finished | None:
    """The campaign of a request, if it is known to be finished; otherwise None.

    Raises:
        StoreError: the store cannot be used, or the note of the request is damaged.
    """
    code = code_now()
    if code is None:
        return None
    name = pointer_of(request, seed_asked(request.seed))
    value, _ = store.read_pointer(name)
    if value is None or value.get("code") != code:
        return None
    with naming(f"{store.address}: {name}"):
        known = Finished.from_json(value)
    newest = newest_made_from(store, known.preset, known.made_from) == known.version
    return known if newest and _same_corpora(store, known) and _unchanged(store, known) else None


def _same_corpora(store: Store, known: Finished) -> bool:
    return all(_is_named(store, name, dict(named)) for name, named in known.corpora.items())


def _is_named(store: Store, name: str, wanted: dict[str, Any]) -> bool:
    """Whether a name still points to that corpus, and, for an embedded corpus, whether its files still give it."""
    named, recipe = find_name(store, name), find_recipe(name)
    if named is None or asdict(named) != wanted:
        return False
    if recipe is None or not recipe.embedded:
        return True
    return source_digest(recipe, hash_inputs(recipe.read_inputs(HERE))) == named.source


def _unchanged(store: Store, known: Finished) -> bool:
    """Whether every commit is as it was noted, a trial's record too; the flow reports what is not."""

    def same(prefix: str) -> bool:
        names = ("record.json",) if prefix.startswith("trials/") else ()
        return store.unchanged(prefix, known.commits[prefix], *names)

    return all(many(same, known.commits).values())
