"""What a person may ask of a campaign, typed, frozen and validated once, at the edge.

A `CampaignRequest` is built by the command line from its options, or by Prefect from the JSON parameters of a
deployment; the flow gets the same value either way. It names what is wanted and knows of no preset, corpus or
variant: those are checked where they live, by the tasks.
"""

import os
import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from infra.schedule import Period

DEFAULT_STORE = "./artifacts"
STORE_VARIABLE = "COUNTERPOINT_STORE"

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


def _scheduler_address(address: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://\S+:\d+", address):
        raise ValueError("not the address of a Dask scheduler, tcp://host:port or tls://host:port")
    return address


def default_store() -> str:
    """Address of the store where none is given: COUNTERPOINT_STORE, or else `./artifacts`."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


@dataclass(frozen=True, config={"extra": "forbid"})
class CampaignRequest:
    """What a campaign is asked for; None takes the preset's value.

    Every field is a JSON value, so that `{"preset": "smoke", "store": "s3://bucket/prefix"}` is a request too.

    Attributes:
        store: address of the store, anything fsspec knows: a path, `s3://bucket/prefix`.
        preset: name of the size of the campaign.
        corpora: names of the corpora.
        variants: names of the variants, `rnn/bernoulli/SGD+CLR`.
        trials: search trials for every variant.
        seeds: fresh seeds for every chosen configuration.
        epochs: most epochs of a trial.
        seed: the one number all randomness comes from; or `day` or `week`, for the number of the day or the week in
            which the run is due (`infra/schedule.py`).
        cluster: address of a Dask scheduler, `tcp://` or `tls://`; None for a cluster on this machine.
        workers: processes of the cluster on this machine; None for one a core.

    Raises:
        pydantic.ValidationError: a field has the wrong type or range, or is unknown.
    """

    store: Name = Field(default_factory=default_store)
    preset: Name = "default"
    corpora: tuple[Name, ...] | None = None
    variants: tuple[Name, ...] | None = None
    trials: Count | None = None
    seeds: Count | None = None
    epochs: Count | None = None
    seed: Annotated[int, Field(ge=0)] | Period | None = None
    cluster: Annotated[str, AfterValidator(_scheduler_address)] | None = None
    workers: Count | None = None
