"""What a flow run is called on Prefect's page: what was asked and when, instead of two words drawn by lot."""

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run

from infra.server.schedule import due

_FEW = 4


def run_name() -> str:
    """The name of the running flow run: what is asked, and the day on which it was due."""
    asked = flow_run.parameters.get("request")
    return f"{describe(asked if isinstance(asked, Mapping) else vars(asked))}, {due():%Y-%m-%d}"


def describe(request: Mapping[str, Any]) -> str:
    """Some words for a request, as JSON has it or as `vars` of a `CampaignRequest`.

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
