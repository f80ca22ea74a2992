"""Requests: the typed and frozen parameters of the flows, validated once.

A `CampaignRequest` or an `IngestRequest` is built by the command line from its options, or by Prefect from the JSON
parameters of a deployment. The flow gets the same value either way. Names of presets, corpora and variants are not
checked here, but later, by the tasks that know them.
"""

import os
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass

from infra.machine.redaction import may_hold_secret
from infra.server.schedule import Period

DEFAULT_STORE = "./artifacts"
STORE_VARIABLE = "COUNTERPOINT_STORE"
DATA_VARIABLE = "COUNTERPOINT_DATA"
CLUSTER_VARIABLE = "COUNTERPOINT_CLUSTER"
WORKER_TIMEOUT = 300.0
"""Seconds that a flow run waits for a worker, at its start and whenever there is none, unless it is asked otherwise."""

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


def _apart(names: Any) -> Any:
    """Split names that are joined by commas; no name contains a comma."""
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        return [part for name in names for part in name.strip(",").split(",")]
    return names


def _without_secret(address: str) -> str:
    if may_hold_secret(address):
        raise ValueError(
            "'@' and '?' are in it, as passwords and tokens have, and Prefect would keep it: leave that out"
        )
    return address


def _cluster(asked: str) -> str:
    _without_secret(asked)
    if not re.fullmatch(r"(tcp|tls)://\S+:\d+|[^:]+\.toml|[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", asked):
        raise ValueError(
            "not the address of a Dask scheduler (tcp://host:port or tls://host:port), a class of clusters "
            "(dask_jobqueue.SLURMCluster) or a file that names one (slurm.toml)"
        )
    return asked


def _resource(text: str) -> str:
    if not re.fullmatch(r"[^\s=]+=\d+(\.\d+)?", text) or not float(text.partition("=")[2]) > 0:
        raise ValueError("not a resource with an amount, as GPU=1")
    return text


def default_store() -> str:
    """Default address of the store: COUNTERPOINT_STORE, or else `./artifacts`."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def default_cluster() -> str | None:
    """Default of `cluster`: COUNTERPOINT_CLUSTER, or None for this machine."""
    return os.environ.get(CLUSTER_VARIABLE) or None


def _step(text: str) -> str:
    """Check the length of a frame: `60` in ticks, or `1/4` in quarter notes."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}(/[1-9][0-9]{0,3})?", text):
        raise ValueError("neither parts of a quarter note, as 1/4 for a sixteenth note, nor a number of ticks, as 60")
    return text


Cluster = Annotated[str, AfterValidator(_cluster)]
Resource = Annotated[Name, AfterValidator(_resource)]
Resources = Annotated[tuple[Resource, ...], BeforeValidator(_apart)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_apart)]
Step = Annotated[str, BeforeValidator(str), AfterValidator(_step)]
Place = Annotated[Name, AfterValidator(_without_secret)]
Form = Literal["midi", "characters", "words"]


def data_folder() -> str | None:
    """Folder with the user's copies of the official data sets, from COUNTERPOINT_DATA; None if it is not set."""
    return os.environ.get(DATA_VARIABLE) or None


@dataclass(frozen=True, config={"extra": "forbid", "hide_input_in_errors": True})
class IngestRequest:
    """A request to put data into a store: known corpora by name, or a user's own files.

    Attributes:
        store: address of the store.
        names: of known corpora, empty for those that come with the installation; or, with `form`, the name for the
            user's files.
        source: address of the data: a folder, a file, an archive, `http(s)://`, `s3://`.
        form: format of the user's own files, and how they are read; None for known corpora.
        manifest: address of the table of an official MIDI set.
        step: length of a frame of the user's MIDI files: in quarter notes with a slash (`1/4` is a sixteenth note), or
            in ticks (`60`); None for an eighth note.
        drums: whether channel 10 of the user's MIDI files is kept.
        fewest: how often a word of the user's text must occur in train to be a symbol.
        encoding: of the user's text; None to detect it.
        most_lost: the share of the user's files, 0 to 1, that may be set aside; None for 1 of 20.
        by_content: split the user's files by content, and ignore splits that their names give.
        cluster, workers, resources, worker_timeout: as in `CampaignRequest`.

    Raises:
        pydantic.ValidationError: a field has the wrong type or range, or is unknown.
    """

    store: Place = Field(default_factory=default_store, validate_default=True)
    names: Names = ()
    source: Place | None = None
    form: Form | None = None
    manifest: Place | None = None
    step: Step | None = None
    drums: bool = False
    fewest: Count | None = None
    encoding: Name | None = None
    most_lost: Annotated[float, Field(ge=0, le=1)] | None = None
    by_content: bool = False
    cluster: Cluster | None = Field(default_factory=default_cluster, validate_default=True)
    workers: Count | None = None
    resources: Resources = ()
    worker_timeout: Seconds = WORKER_TIMEOUT


@dataclass(frozen=True, config={"extra": "forbid", "hide_input_in_errors": True})
class CampaignRequest:
    """A request for a campaign; a field that is None takes the preset's value.

    Every field is a JSON value: `{"preset": "smoke", "store": "s3://bucket/prefix"}` is a request too.

    Attributes:
        store: address of the store: a path, or `s3://bucket/prefix`.
        preset: name of the preset.
        campaign: contents of the user's campaign file, in place of a preset (`tasks/campaign/preset.py`).
        corpora: names of the corpora.
        variants: names of the variants, `rnn/bernoulli/SGD+CLR`.
        placebo: whether to add plain SGD with the placebo, a technique that only changes the random streams.
        studies: number of independent searches, each with its own draws, choice and fresh seeds.
        trials: number of draws of each variant in a study.
        rungs: rungs of successive halving; 1 for random search.
        seeds: number of fresh seeds for each chosen configuration.
        epochs: most epochs of a trial.
        seed: seed of all random numbers; `day` or `week` for the number of the day or the week for which the run is
            scheduled (`infra/server/schedule.py`).
        share: this machine's share of the campaign, `2/5`, if several machines without a common store run it; None for
            the whole campaign.
        cluster: address of a Dask scheduler, `tcp://` or `tls://`; or a class of Dask clusters, by its dotted path or
            in a TOML file on the flow's machine (`infra/cluster/cluster_class.py`); None for a cluster on this
            machine, which is the default unless COUNTERPOINT_CLUSTER is set.
        workers: number of processes on this machine, or of workers of a class of clusters; None for one for each GPU,
            or without a GPU one for each core, and for what the class's arguments say.
        resources: that a worker must announce, and that a job has for itself, `GPU=1`; empty for one GPU where workers
            announce GPUs.
        worker_timeout: seconds to wait for such a worker, at the start and whenever there is none.
        processes_per_trial: processes that train each trial together, on one worker's machine; its results then differ
            by rounding from those of one process.

    Raises:
        pydantic.ValidationError: a field has the wrong type or range, or is unknown.
    """

    store: Place = Field(default_factory=default_store, validate_default=True)
    preset: Name = "default"
    campaign: dict[str, Any] | None = None
    corpora: Names | None = None
    variants: tuple[Name, ...] | None = None
    placebo: bool = False
    studies: Count | None = None
    trials: Count | None = None
    rungs: Count | None = None
    seeds: Count | None = None
    epochs: Count | None = None
    seed: Annotated[int, Field(ge=0)] | Period | None = None
    share: Name | None = None
    cluster: Cluster | None = Field(default_factory=default_cluster, validate_default=True)
    workers: Count | None = None
    resources: Resources = ()
    worker_timeout: Seconds = WORKER_TIMEOUT
    processes_per_trial: Count = 1

    @property
    def name(self) -> str:
        """The name of the preset or of the campaign file."""
        return self.preset if self.campaign is None else str(self.campaign.get("name"))
