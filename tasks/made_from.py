"""What a report is made from, as a digest: while that is the same, so is the report, and nobody makes it twice.

It is of the campaign, the files of its corpora, the records of its trials, their scores and samples, the code and the
versions it runs on, not of the time or the place. A report with gaps is made from what is not there, and code that
differs from its commit has no name: neither has a digest. What this does not do: look for a report (`publish.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from models.core import scan_body
from tasks.campaign import Campaign
from tasks.ingest import find_name
from tasks.ledger import Ledger
from tasks.search import final_trials, search_trials


def made_from(
    ledger: Ledger, campaign: Campaign, digests: Mapping[str, str], provenance: Mapping[str, Any]
) -> str | None:
    """The digest, 64 hexadecimal digits; None where the report is to be made in any case.

    Args:
        ledger: what is stored.
        campaign: what was asked.
        digests: digest of each corpus, by name.
        provenance: of the code, `infra.provenance`.
    """
    search = search_trials(campaign, digests)
    records = ledger.records(search)
    finals = final_trials(campaign, digests, records)
    lacking = len(records) < len({trial.key for trial in search}) or ledger.unfinished(finals, scored=True)
    if provenance["dirty"] or lacking:
        return None
    told = {
        "campaign": campaign.to_json(),
        "digests": dict(digests),
        # Other files may give the same corpus, and the report tells of them.
        "sources": {name: named.source for name in digests if (named := find_name(ledger.store, name)) is not None},
        "made": ledger.made(finals),
        "records": [record.to_json() for record in (records | ledger.records(finals)).values()],
        "code": [provenance["commit"], provenance["lock"], provenance["versions"], scan_body()],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
