"""The typed options of the commands, and their conversion into requests.

Only cyclopts is imported here, since every `--help` pays for the imports. Options are checked, with pydantic, when a
command runs.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from cyclopts import Group, Parameter

from infra.errors import ConfigurationError
from infra.machine.redaction import redacted

if TYPE_CHECKING:
    from infra.settings import CampaignRequest, IngestRequest

Request = TypeVar("Request")

OUTPUT = Group("Output")


def _several(text: str) -> Parameter:
    return Parameter(help=text, consume_multiple=True, negative="", show_default=False)


def _flag(text: str) -> Parameter:
    return Parameter(help=text, negative="", show_default=False)


StoreAddress = Annotated[
    str | None,
    Parameter(
        help="Where everything is kept: a folder, or an address such as s3://bucket/prefix. "
        "Default: COUNTERPOINT_STORE, or else ./artifacts."
    ),
]
Version = Annotated[str | None, Parameter(help="Version of the report; the latest one where none is given.")]
Preset = Annotated[str | None, Parameter(help="Of which preset the latest version is meant; any where none is given.")]
Folder = Annotated[Path, Parameter(help="Folder to put the files in; made where it is missing.")]
Key = Annotated[str, Parameter(help="Key of a trial, or its first digits, as the report tells them.")]
SampleFile = Annotated[Path, Parameter(help="MIDI or text file to write; or a folder to put one in, named by itself.")]
Steps = Annotated[int | None, Parameter(help="Frames, characters or words to go on for. Default: as in the report.")]
Tables = Annotated[bool, _flag("Only what it was made from, which `report --from` takes.")]
FromTables = Annotated[
    Path | None,
    Parameter(
        name="--from",
        help="A folder that has the tables of reports, as docs/results: they are made again from these alone.",
    ),
]
ReportFolder = Annotated[
    Path | None, Parameter(help="With --from: folder to put the pages in, made where it is missing. Default: ./report.")
]
Versions = Annotated[
    str,
    Parameter(
        help="The earlier and the later version: as `list` prints them, `latest`, or folders that they were pulled to. "
        "Of one alone, the version before it of its preset is the earlier one."
    ),
]
AsJson = Annotated[bool, _flag("Print one JSON object and nothing else, for programs: docs/programs.md.")]
ComparisonFolder = Annotated[
    Path | None, Parameter(help="Folder to put it in as a page and as JSON, made where it is missing.")
]
From = Annotated[str, Parameter(name="--from", help="The store that is copied from, which is only read.")]
To = Annotated[str, Parameter(help="The store that gets what it lacks.")]
Only = Annotated[
    tuple[str, ...],
    _several("Copy these alone: data, ingests, corpora (their names), trials, samples, scores, reports."),
]
Seed = Annotated[
    int | None, Parameter(help="Chooses the piece, and makes every draw. Default: the trial's own, as in the report.")
]
Show = Annotated[bool, Parameter(help="Print the campaign as a file for --campaign, and plan nothing.", negative="")]
Hours = Annotated[
    float, Parameter(help="What is younger than so many hours may be in writing, and is left alone.", show_default=True)
]
Delete = Annotated[bool, _flag("Remove it; without, it is only shown.")]
KeepReports = Annotated[
    int | None,
    Parameter(help="Let old reports go, but for the newest so many; those that a pointer names stay in any case."),
]
KeepDays = Annotated[
    float | None,
    Parameter(help="Let old reports go, but for those younger than so many days; with both, either will do."),
]
OlderNumerics = Annotated[
    bool,
    _flag("Let trials of older numerics go that no report names which stays, and their scores and samples."),
]
Force = Annotated[
    bool,
    _flag("Also the version that a pointer names, which then goes to the newest one left."),
]
Test = Annotated[bool, _flag("Also have the server send a test message, and say whether it could.")]
Remove = Annotated[bool, _flag("Take everything back: automations and addresses.")]
OldVersion = Annotated[str, Parameter(help="Version of the report, as `list` names it.")]
Name = Annotated[
    str,
    Parameter(
        help="Names of known corpora, those that come with the installation where none is given; or the name for your "
        "own files."
    ),
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Which campaign: a preset, and what differs from it."""

    store: StoreAddress = None
    preset: Annotated[
        str | None, Parameter(help="Which campaign: smoke, nightly, default, dependencies, thorough, paper.")
    ] = None
    campaign: Annotated[
        Path | None, Parameter(help="A campaign of your own, as a file in TOML; `plan --show` prints one.")
    ] = None
    corpora: Annotated[tuple[str, ...], _several("Corpora, separated by spaces.")] = ()
    variants: Annotated[
        tuple[str, ...],
        _several("Variants, as rnn/bernoulli/SGD+CLR, separated by spaces."),
    ] = ()
    placebo: Annotated[bool, _flag("Try a technique that changes luck alone, too: nobody should call it helpful.")] = (
        False
    )
    studies: Annotated[
        int | None, Parameter(help="Independent searches, each with draws, a choice and fresh seeds of its own.")
    ] = None
    trials: Annotated[int | None, Parameter(help="Draws for every variant in a study.")] = None
    rungs: Annotated[
        int | None, Parameter(help="Of successive halving: the best third of a rung goes on; 1 for random search.")
    ] = None
    seeds: Annotated[int | None, Parameter(help="Fresh seeds for what a study chooses.")] = None
    epochs: Annotated[int | None, Parameter(help="Most epochs of a trial.")] = None
    seed: Annotated[
        int | Literal["day", "week"] | None,
        Parameter(help="The number that all randomness comes from; day or week: the number of this day or week."),
    ] = None

    share: Annotated[
        str | None,
        Parameter(help="Run one share of it, as 2/5 the second of five: for machines without a common store."),
    ] = None
    processes_per_trial: Annotated[
        int | None,
        Parameter(
            help="Processes that train each trial together, each with a share of its batch: for large trials. Default: "
            "1."
        ),
    ] = None

    def request(self, places: "Places | None" = None) -> "CampaignRequest":
        """The validated request; raises a `ConfigurationError` that names the first invalid option."""
        from infra.settings import CampaignRequest

        given = {**asdict(self), **(asdict(places) if places else {})}
        if self.campaign is not None:
            if self.preset is not None:
                raise ConfigurationError("--campaign, --preset: one of them at a time")
            from infra.campaign_file import read_campaign

            given["campaign"] = read_campaign(self.campaign)
        return _validated(CampaignRequest, given)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Data:
    """Which data: known corpora, from where they are known to be or from an address, or your own files."""

    source: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="Where the one corpus that is named is: a folder, a file or an archive; a path, http(s):// or s3://. "
            "Default: COUNTERPOINT_DATA, or else where it is published.",
        ),
    ] = None
    manifest: Annotated[
        str | None, Parameter(help="Table of an official MIDI set: splits, order, transpositions. Default: beside it.")
    ] = None
    midi: Annotated[str | None, Parameter(help="Your own MIDI files: a folder or an archive.")] = None
    characters: Annotated[str | None, Parameter(help="Your own text, read as characters.")] = None
    words: Annotated[str | None, Parameter(help="Your own text, read as words.")] = None
    step: Annotated[
        str | None,
        Parameter(
            help="Length of a frame of your MIDI files, in parts of a quarter note: 1/4 is a sixteenth note. Or in "
            "ticks, 60, where all files have as many a quarter note. Default: 1/2, an eighth note."
        ),
    ] = None
    drums: Annotated[
        bool, _flag("Keep the drums (channel 10) of your MIDI files, where they are. Default: they are left out.")
    ] = False
    fewest: Annotated[
        int | None, Parameter(help="How often a word of your text must be in train to be a symbol. Default: 3.")
    ] = None
    encoding: Annotated[
        str | None,
        Parameter(help="Encoding of your text, as shift_jis or utf-16. Default: UTF-8, or Windows-1252 where it fits."),
    ] = None

    most_lost: Annotated[
        float | None,
        Parameter(help="Share of your files that may be set aside, 0 to 1. Default: 0.05, and one always."),
    ] = None
    by_content: Annotated[
        bool, _flag("Split your files by their content, whatever their names say. Default: by names that give splits.")
    ] = False

    def request(self, names: tuple[str, ...], store: str | None, places: "Places") -> "IngestRequest":
        """The validated request; raises a `ConfigurationError` that names the first invalid option."""
        from infra.settings import IngestRequest

        rest = asdict(self)
        forms = {form: rest.pop(form) for form in ("midi", "characters", "words")}
        own = {form: address for form, address in forms.items() if address is not None}
        if len(own) + (self.source is not None) > 1:
            raise ConfigurationError("--from, --midi, --characters, --words: one of them at a time")
        form, source = next(iter(own.items()), (None, self.source))
        given = {**rest, "store": store, "names": names, "source": source, "form": form}
        return _validated(IngestRequest, {**given, **asdict(places)})


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Places:
    """Which machines."""

    cluster: Annotated[
        str | None,
        Parameter(
            help="A Dask scheduler, tcp://host:port or tls://host:port; or a class of clusters to make one of, as "
            "dask_jobqueue.SLURMCluster; or a file in TOML with its arguments (docs/operations.md). Default: "
            "COUNTERPOINT_CLUSTER, or else this machine."
        ),
    ] = None
    workers: Annotated[
        int | None,
        Parameter(help="Processes on this machine, or workers of a class of clusters. Default: one a core."),
    ] = None
    resources: Annotated[
        tuple[str, ...],
        _several(
            "What a worker must announce, and a job has for itself, as GPU=1. Default: one GPU, where workers announce "
            "GPUs."
        ),
    ] = ()
    worker_timeout: Annotated[
        float | None,
        Parameter(help="Seconds to wait for such a worker, at the start and whenever there is none. Default: 300."),
    ] = None


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class Output:
    """The output while a command runs; `apply` sets it, for this process and the ones it starts."""

    plain: Annotated[bool, _flag("Plain lines of progress instead of live ones.")] = False
    quiet: Annotated[bool, _flag("No progress at all.")] = False
    verbose: Annotated[bool, _flag("Everything that Prefect and Dask say.")] = False
    json: AsJson = False

    def apply(self) -> None:
        """Set the display of progress, and the log levels of Prefect and Dask."""
        from infra.machine.logs import quiet_logs
        from infra.machine.output import MODE_VARIABLE

        if self.plain or self.quiet:
            os.environ[MODE_VARIABLE] = "quiet" if self.quiet else "plain"
        quiet_logs(self.verbose)


def _validated(kind: type[Request], given: dict[str, Any]) -> Request:
    """A request from the given options; raises a `ConfigurationError` that names the first invalid one."""
    from pydantic import ValidationError

    try:
        return kind(**{name: value for name, value in given.items() if value not in (None, ())})
    except ValidationError as problem:
        first = problem.errors()[0]
        option, message = str(first["loc"][0]), first["msg"].removeprefix("Value error, ")
        option = "from" if option == "source" else option.replace("_", "-")
        raise ConfigurationError(f"--{option} {redacted(str(first['input']))}: {_lower(message)}") from None


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
