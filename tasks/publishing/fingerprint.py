"""The fingerprint of a report: a digest of everything it is made from. Equal fingerprints mean equal reports.

The fingerprint covers the campaign, the files of its corpora, the records of its trials, their scores and samples, the
code and the library versions, but not time or place. There is no fingerprint if trials are missing, or if the working
tree differs from its commit: then the report is always rebuilt. Otherwise a report with the same fingerprint is not
made again. What this does not do: look for a report (`publish.py`).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from models.core import scan_kernel
from tasks.ingest import find_name
from tasks.search.standing import Standing


def made_from(standing: Standing, provenance: Mapping[str, Any]) -> str | None:
    """The fingerprint, 64 hexadecimal digits; None if the report must always be rebuilt.

    Args:
        standing: of the search.
        provenance: of the code, `infra.provenance`.
    """
    if provenance["dirty"] or not standing.whole:
        return None
    search, store = standing.search, standing.ledger.store
    depends_on = {
        "campaign": search.campaign.to_json(),
        "digests": search.digests,
        # Different files may give the same corpus, and the report describes the files.
        "sources": {name: named.source for name in search.digests if (named := find_name(store, name)) is not None},
        "made": standing.ended.made,
        "records": [record.to_json() for record in (standing.records | standing.ended.records).values()],
        "code": [provenance["commit"], provenance["lock"], provenance["versions"], scan_kernel()],
    }
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()
