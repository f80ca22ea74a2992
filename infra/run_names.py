"""What a flow run is called on Prefect's page: what was asked, instead of two words drawn by lot."""

from collections.abc import Mapping
from typing import Any

from prefect.runtime import flow_run


def campaign_name() -> str:
    """The name of the running flow run: its preset, its corpora where they were named, its seed."""
    asked = flow_run.parameters.get("request")
    return describe(asked if isinstance(asked, Mapping) else vars(asked))


def describe(request: Mapping[str, Any]) -> str:
    """Some words for a request, as JSON has it or as `vars` of a `CampaignRequest`.

    >>> describe({"preset": "smoke", "seed": "day"}), describe({"corpora": ["bach-chorales"]})
    ('smoke, seed day', 'default, bach-chorales')
    """
    parts = [str(request.get("preset") or "default"), *(request.get("corpora") or ())]
    if request.get("seed") is not None:
        parts.append(f"seed {request['seed']}")
    return ", ".join(parts)
