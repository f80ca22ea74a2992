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
from tasks.ingest import find_name
from tasks.search.search import Search
from tasks.trials.ledger import Ledger


def made_from(ledger: Ledger, search: Search, provenance: Mapping[str, Any]) -> str | None:
    """The digest, 64 hexadecimal digits; None where the report is to be made in any case.

    Args:
        ledger: what is stored.
        search: that of the campaign.
        provenance: of the code, `infra.provenance`.
    """
    records = search.look(ledger.records)
    finals = search.finals(records)
    lacking = {t.key for t in search.trials(records)} - set(records) or ledger.unfinished(finals, scored=True)
    if provenance["dirty"] or lacking:
        return None
    told = {
        "campaign": search.campaign.to_json(),
        "digests": search.digests,
        # Other files may give the same corpus, and the report tells of them.
        "sources": {
            name: named.source for name in search.digests if (named := find_name(ledger.store, name)) is not None
        },
        "made": ledger.made(finals),
        "records": [record.to_json() for record in (records | ledger.records(finals)).values()],
        "code": [provenance["commit"], provenance["lock"], provenance["versions"], scan_body()],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
