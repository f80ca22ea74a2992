"""Names of flow runs on Prefect's page: the request and its date, instead of Prefect's two random words."""

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run

from infra.server.schedule import due

_FEW = 4
"""Number of variants up to which they are written out."""


def run_name() -> str:
    """The name of the running flow run: its request, and the day for which it was scheduled."""
    asked = flow_run.parameters.get("request")
    return f"{describe(asked if isinstance(asked, Mapping) else vars(asked))}, {due():%Y-%m-%d}"


def describe(request: Mapping[str, Any]) -> str:
    """A short text for a request, given as JSON values or as `vars` of a `CampaignRequest`.

    >>> describe({"preset": "smoke", "seed": "day"}), describe({"corpora": ["songs"], "variants": ["SGD", "SGD+C"]})
    ('smoke, seed day', 'default, songs, SGD SGD+C')
    >>> describe({"names": ["songs"], "form": "midi"}), describe({"names": []})
    ('songs', 'all that come with it')
    """
    if "names" in request:
        return ", ".join(request["names"] or ("own files" if request.get("form") else "all that come with it",))
    written = request.get("campaign") or {}
    parts = [str(written.get("name") or request.get("preset") or "default"), *(request.get("corpora") or ())]
    variants = request.get("variants") or ()
    if variants:
        parts.append(" ".join(variants) if len(variants) <= _FEW else f"{len(variants)} variants")
    if request.get("seed") is not None:
        parts.append(f"seed {request['seed']}")
    return ", ".join(parts)
