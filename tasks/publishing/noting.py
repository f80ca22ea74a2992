"""Note in the store that a campaign is finished, so that `finished.py` recognises it without reading its trials."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from infra.errors import ConflictError
from infra.settings import CampaignRequest
from infra.store import Store
from tasks.ingest import find_name
from tasks.ingest.stored import corpus_prefix
from tasks.publishing.artifact import score_markdown
from tasks.publishing.finished import Finished, code_now, pointer_of, report_address
from tasks.publishing.terminal import score_blocks
from tasks.search.standing import Standing
from tasks.telling.readable import many
from tasks.trials.records import trial_prefix


def note_finished(
    standing: Standing,
    request: CampaignRequest,
    version: str,
    made_from: str,
    document: Mapping[str, Any],
) -> None:
    """Note a complete campaign as finished; does nothing if the code differs from its commit.

    Args:
        standing: of the search.
        request: that the campaign comes from.
        version: of its report.
        made_from: fingerprint of the report.
        document: the report's `results.json`.
    """
    store, search, code = standing.ledger.store, standing.search, code_now()
    if code is None:
        return
    campaign = search.campaign
    read = standing.ledger.digests  # of what the report is made from, which is not read once more
    prefixes = [*map(trial_prefix, standing.records | standing.ended.records), *standing.ended.made]
    corpora = many(store.manifest, map(corpus_prefix, search.digests.values()))
    named = {name: find_name(store, name) for name in search.digests}
    known = Finished(
        version=version,
        preset=None if campaign.changes else campaign.name,
        made_from=made_from,
        code=code,
        corpora={name: asdict(corpus) for name, corpus in named.items() if corpus is not None},
        commits={prefix: read[prefix] for prefix in prefixes}
        | {prefix: manifest.digest for prefix, manifest in corpora.items() if manifest is not None},
        trials=sum(row["trials"] for row in document["trials"]),
        blocks=tuple(score_blocks(document)),
        markdown=score_markdown(document, report_address(store, version)),
    )
    if len(known.corpora) == len(named) and None not in corpora.values():
        _put(store, pointer_of(request, campaign.seed), known.to_json())


def _put(store: Store, name: str, value: dict[str, Any]) -> None:
    before, token = store.read_pointer(name)
    if before != value:
        with suppress(ConflictError):  # another process has just noted it
            store.swap_pointer(name, value, token)
