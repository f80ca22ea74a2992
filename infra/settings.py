"""What a person may ask of a campaign, typed, frozen and validated once, at the edge.

A `CampaignRequest` or `IngestRequest` is built by the command line from its options, or by Prefect from the JSON
parameters of a deployment; the flow gets the same value either way. It names what is wanted and knows of no preset,
corpus or variant: those are checked where they live, by the tasks.
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

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


def _apart(names: Any) -> Any:
    """Names that a comma joins are several; no name has a comma."""
    if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
        return [part for name in names for part in name.strip(",").split(",")]
    return names


def _without_secret(address: str) -> str:
    if may_hold_secret(address):
        raise ValueError(
            "'@' and '?' are in it, as passwords and tokens have, and Prefect would keep it: leave that out"
        )
    return address


def _scheduler_address(address: str) -> str:
    _without_secret(address)
    if not re.fullmatch(r"(tcp|tls)://\S+:\d+", address):
        raise ValueError("not the address of a Dask scheduler, tcp://host:port or tls://host:port")
    return address


def default_store() -> str:
    """Address of the store where none is given: COUNTERPOINT_STORE, or else `./artifacts`."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE


def default_cluster() -> str | None:
    """Address of the Dask scheduler where none is given: COUNTERPOINT_CLUSTER; None for this machine."""
    return os.environ.get(CLUSTER_VARIABLE) or None


def _step(text: str) -> str:
    """A frame's length: `60` ticks, or `1/4`, parts of a quarter note."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}(/[1-9][0-9]{0,3})?", text):
        raise ValueError("neither parts of a quarter note, as 1/4 for a sixteenth note, nor a number of ticks, as 60")
    return text


Cluster = Annotated[str, AfterValidator(_scheduler_address)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_apart)]
Step = Annotated[str, BeforeValidator(str), AfterValidator(_step)]
Place = Annotated[Name, AfterValidator(_without_secret)]
Form = Literal["midi", "characters", "words"]


def data_folder() -> str | None:
    """Folder with a user's copies of the official data sets, COUNTERPOINT_DATA; None where it is not set."""
    return os.environ.get(DATA_VARIABLE) or None


@dataclass(frozen=True, config={"extra": "forbid", "hide_input_in_errors": True})
class IngestRequest:
    """Which data is asked to be put into a store: corpora that are known by name, or a user's own files.

    Attributes:
        store: address of the store.
        names: of known corpora, none for those that come with the installation; or, with `form`, the name that the
            user's files get.
        source: address of the data: a folder, a file, an archive, `http(s)://`, `s3://`.
        form: what the user's own files are, and how they are read.
        manifest: address of the table of an official MIDI set.
        step: length of a frame of the user's MIDI files: parts of a quarter note with a slash, `1/4` for a sixteenth
            note, or ticks, `60`; None for an eighth note.
        drums: whether channel 10 of the user's MIDI files is kept.
        fewest: how often a word of the user's text must be in train to be a symbol.
        encoding: of the user's text; None where it is to be found.
        most_lost: the share of the user's files, 0 to 1, that may be set aside; None for 1 of 20.
        by_content: split the user's files by content, whatever their names say.
        cluster, workers: as in `CampaignRequest`.

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


@dataclass(frozen=True, config={"extra": "forbid", "hide_input_in_errors": True})
class CampaignRequest:
    """What a campaign is asked for; None takes the preset's value.

    Every field is a JSON value, so that `{"preset": "smoke", "store": "s3://bucket/prefix"}` is a request too.

    Attributes:
        store: address of the store, anything fsspec knows: a path, `s3://bucket/prefix`.
        preset: name of the size of the campaign.
        campaign: what a file of the person's own says in place of a preset (`tasks/campaign/preset.py`).
        corpora: names of the corpora.
        variants: names of the variants, `rnn/bernoulli/SGD+CLR`.
        placebo: whether plain SGD with a placebo is among the variants, a technique that changes luck alone.
        studies: independent searches, each with draws, a choice and fresh seeds of its own.
        trials: draws for every variant in a study.
        rungs: of successive halving; 1 for random search.
        seeds: fresh seeds for what a study chooses.
        epochs: most epochs of a trial.
        seed: the one number all randomness comes from; or `day` or `week`, for the number of the day or the week in
            which the run is due (`infra/server/schedule.py`).
        share: one machine's share of it, `2/5`, where several without a common store run it; None for all of it.
        cluster: address of a Dask scheduler, `tcp://` or `tls://`; None for a cluster on this machine, which is the
            default where COUNTERPOINT_CLUSTER names none.
        workers: processes of the cluster on this machine; None for one a core.

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

    @property
    def name(self) -> str:
        """That of the preset or of the file."""
        return self.preset if self.campaign is None else str(self.campaign.get("name"))
