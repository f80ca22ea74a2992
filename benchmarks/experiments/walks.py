"""How far a reader walks through the code who follows what is asked: from file to file, and to and fro.

`python -m benchmarks.experiments.walks [WALK ...] [--all]` runs a tiny real campaign in a folder of its own, a minute
or two of one core, and prints a table in Markdown, and for each walk the files that it comes to most often; with
`--all` every step. It writes nothing. Three walks:

    reproduce   a request, through the flow, until its report is published
    job         trials, on a worker, until they are trained, scored and sampled
    train       a trial, through its training, until its best weights are there

Who follows the trials reads the function that is handed them, and looks up each function that this one hands them on
to: in the order in which they are called in a run, and once for each function that calls them, for a loop is seen
where it stands. Then the reader goes back to where they were called, if there is something more to look up. So

    step      a call from a function of the walk to one that is handed what is followed: the object of a method, an
              argument or a member of it is of one of the types `VALUES`, or was made with one, or is a digest of one
    stay      steps in one file, one after the other
    files     those that are entered at all
    returns   stays - files: how often the reader comes back to where he was before

A property is read like a field, and what Python calls by itself (`__post_init__`) like nothing: neither is looked up,
and what they call in other files counts as called by who reads them. A walk leads through some rooms. Where these call
a function of ours elsewhere its file is entered, but nobody goes on from there, unless it calls back.

Fewer returns are no end in themselves: code in one file of a thousand lines has none.
"""

import argparse
import inspect
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = ("flows", "tasks", "models", "infra")
DIGITS = 64
NAME, VARIANTS, FOLLOWED_VARIANT = "bach-chorales", ("SGD", "SGD+C"), "rnn/bernoulli/SGD+C"
LEARNS: dict[str, Any] = {"hidden_size": 30, "activation": "tanh", "learning_rate": 0.03, "epochs": 5}

VALUES = frozenset({"CampaignRequest", "Campaign", "Bracket", "Trial", "TrialRecord", "Rung"})
"""What a request becomes, by the names of the types; what is made with one of these is followed as well."""


@dataclass(frozen=True)
class Place:
    """A function of ours: its file, and its name there with that of its class."""

    file: str
    function: str


@dataclass(frozen=True)
class Walk:
    """Where it begins, whether digests of trials and corpora are followed too, and the rooms that it leads through."""

    entry: str
    digests: bool
    through: tuple[str, ...]


WALKS = {
    "reproduce": Walk("reproduce", digests=False, through=("flows/", "tasks/")),
    "job": Walk("run_job", digests=True, through=("tasks/",)),
    "train": Walk("train", digests=False, through=("models/",)),
}


class Reader:
    """Takes down the steps of a walk while the code runs: a profile function of Python."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.steps: list[tuple[Place, Place]] = []
        self._known: set[Place] = set()
        self._types = set(VALUES)
        self._places: dict[CodeType, Place | None] = {}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "call":
            return
        if frame.f_code.co_filename == "<string>" and frame.f_code.co_name == "__init__":  # a dataclass's
            self._made(frame)
        if (place := self._place(frame.f_code)) is None:
            return
        if not self._known:
            if place.function == self.walk.entry:
                self._known.add(place)
                self.steps.append((place, place))
            return
        caller = self._caller(frame, place)
        if caller is None or caller == place or (caller, place) in self.steps or _like_a_field(frame):
            return
        if any(self._is_followed(value) for value in _arguments(frame)):
            self._known.add(place)
            self.steps.append((caller, place))
            if place.function.endswith(".__init__"):
                self._types.add(type(frame.f_locals["self"]).__name__)

    def _made(self, frame: FrameType) -> None:
        """Take note of a value that is made of what is followed."""
        made = type(frame.f_locals["self"])
        ours = self._known and made.__module__.split(".")[0] in OURS
        if ours and any(self._is_followed(value) for value in _arguments(frame)):
            self._types.add(made.__name__)

    def _place(self, code: CodeType) -> Place | None:
        if code not in self._places:
            path = Path(code.co_filename)
            ours = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS
            function = code.co_qualname.split(".<locals>")[0]
            self._places[code] = Place(str(path.relative_to(ROOT)), function) if ours else None
        return self._places[code]

    def _caller(self, frame: FrameType, place: Place) -> Place | None:
        """The function of the walk that a call comes from; None where it comes from elsewhere."""
        back = frame.f_back
        while back is not None:
            here = self._place(back.f_code)
            if here is not None and _like_a_field(back):
                if here.file == place.file:
                    return None
            elif here is not None:
                if here.file.startswith(self.walk.through):
                    return here if here in self._known else None
                if not place.file.startswith(self.walk.through):
                    return None
            back = back.f_back
        return None

    def _is_followed(self, value: object, depth: int = 2) -> bool:
        if type(value).__name__ in self._types:
            return True
        if self.walk.digests and isinstance(value, str) and len(value) == DIGITS:
            return True
        if isinstance(value, dict):
            value = [*islice(value, 1), *islice(value.values(), 1)]
        if depth == 0 or not isinstance(value, list | tuple | set | frozenset):
            return False
        return any(self._is_followed(each, depth - 1) for each in islice(value, 2))

    @property
    def stays(self) -> list[str]:
        """The files that are entered, one after the other."""
        files: list[str] = []
        for caller, callee in self.steps:
            files += [each.file for each in (caller, callee)]
        return [file for number, file in enumerate(files) if number == 0 or files[number - 1] != file]


def _arguments(frame: FrameType) -> Iterator[object]:
    code, values = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return (values[name] for name in code.co_varnames[:count] if name in values)


def _like_a_field(frame: FrameType) -> bool:
    """Whether it is a property, or a method that Python calls by itself."""
    code = frame.f_code
    if code.co_name.startswith("__") and code.co_name not in ("__init__", "__call__"):
        return True
    if code.co_varnames[:1] != ("self",) or "self" not in frame.f_locals:
        return False
    kind = inspect.getattr_static(type(frame.f_locals["self"]), code.co_name, None)
    return type(kind).__name__ in ("property", "cached_property")


@contextmanager
def read(reader: Reader) -> Iterator[None]:
    sys.setprofile(reader)
    try:
        yield
    finally:
        sys.setprofile(None)


def request(folder: str) -> Any:
    from infra.settings import CampaignRequest

    return CampaignRequest(
        store=folder,
        preset="smoke",
        corpora=(NAME,),
        variants=VARIANTS,
        workers=1,
        studies=2,
        trials=4,
        rungs=2,
        seeds=1,
        epochs=2,
    )


def reproduced(reader: Reader, folder: str) -> None:
    from infra.server.server import api_server

    with api_server() as wait_until_ready:
        from flows.reproduce import reproduce

        wait_until_ready()
        with read(reader):
            reproduce(request(folder))


def trials(folder: str) -> Sequence[Any]:
    """One trial of each variant, on a corpus that is stored."""
    from infra.store import Store
    from tasks.campaign import resolve
    from tasks.ingest.corpora import find_recipe
    from tasks.ingest.stored import ingest_corpus
    from tasks.search.search import Search

    store, recipe = Store(folder), find_recipe(NAME)
    if recipe is None:
        raise LookupError(NAME)
    search = Search(resolve(request(folder), store), {NAME: ingest_corpus(store, recipe)})
    drawn = {trial.variant: replace(trial, **LEARNS) for trial in search.trials({})}
    return list(drawn.values())


def worked(reader: Reader, folder: str) -> None:
    from prefect.logging import disable_run_logger

    from tasks.trials.job import run_job

    job = [trial.to_json() for trial in trials(folder)]
    with disable_run_logger(), read(reader):
        failures = run_job.fn(folder, job, NAME, "a job", True)
    if failures or not os.listdir(Path(folder, "samples")):
        raise RuntimeError(f"the job is to train, score and sample: {failures}")


def trained(reader: Reader, folder: str) -> None:
    from models.training.run import train
    from tasks.trials.data import data_of

    (trial,) = (each for each in trials(folder) if each.variant == FOLLOWED_VARIANT)
    data = data_of(folder, trial.corpus)
    with read(reader):
        train(trial, data.pieces["train"], data.pieces["valid"], data.corpus.width)


RUNS: dict[str, Callable[[Reader, str], None]] = {"reproduce": reproduced, "job": worked, "train": trained}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("walks", nargs="*", choices=[*RUNS, []], metavar="WALK")
    parser.add_argument("--all", action="store_true", help="print every step")
    asked = parser.parse_args()
    rows = []
    for name in asked.walks or RUNS:
        reader = Reader(WALKS[name])
        with tempfile.TemporaryDirectory() as folder:
            RUNS[name](reader, folder)
        stays = reader.stays
        files = len(set(stays))
        rows.append(f"| {name} | {len(stays)} | {files} | {len(stays) - files} |")
        often = ", ".join(f"{file} {count}" for file, count in Counter(stays).most_common(6))
        print(f"\n{name}: {often}")
        if asked.all:
            print(*(f"  {c.file}: {c.function} -> {p.file}: {p.function}" for c, p in reader.steps), sep="\n")
    print("\n| walk | stays | files | returns |\n|---|---|---|---|", *rows, sep="\n")


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    main()
