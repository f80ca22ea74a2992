"""What a campaign of many trials costs beside training: 100, 1,000 and 10,000 trials whose trainer does nothing.

`python -m benchmarks.scale [TRIALS ...]` in a checkout that equals its commit, or the finished campaign is not known as
finished. Prints tables as it goes, and writes all to benchmarks/results/scale.json, beside the figures of other sizes.

The engine is the real one: the command, its server, its workers, the store, the report (`scale_command.py`). A trial of
the search gets a prepared result of its variant, of 50 units on a text that is made up here; what is chosen is really
scored and sampled. The same campaign is run on an empty store; again, known from its note; again, without the
note; on an empty store where every trial raises for one reason, and where those of one variant of four do. On S3 it
is run and run again, and the requests are counted.
"""

import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.keeping import RESULTS as KEPT
from benchmarks.keeping import keep
from benchmarks.scale_command import REQUESTS, RESULTS, STAGES
from benchmarks.store_requests import KINDS, mean
from infra.provenance import provenance
from infra.store import Store
from models.training.run import train
from tasks.campaign.drawing import draw_trial
from tasks.campaign.resolve import resolve
from tests.infra.s3 import BUCKET, environment, running_server
from tests.infra.s3_proxy import Asked

ROOT = Path(__file__).parents[1]
SIZES, SIZES_ON_S3 = (100, 1_000, 10_000), (100, 1_000)
STUDIES, AGAIN = 5, 3
CORPUS = "verses"
VARIANTS = tuple(f"rnn/softmax/{name}" for name in ("SGD", "SGD+C", "SGD+L", "SGD+CM"))
CAMPAIGN = f"""
title = "many trials"
corpora = ["{CORPUS}"]
studies = {STUDIES}
trials = %d
seeds = 1
[characters]
variants = {list(VARIANTS)}
hidden_size = 50
learning_rate = {{low = 1e-3, high = 1e-1, scale = "log"}}
chunk = 100
batch = 16
epochs = 9
"""
METHODS = {"GetObject": "GET", "PutObject": "PUT", "ListObjectsV2": "LIST", "DeleteObject": "DELETE"}


Taken = dict[str, float]
"""`seconds` and `processor`: processor seconds of all processes."""


@dataclass(frozen=True)
class Place:
    """Where a campaign runs: its store, the file that asks for it, the folder of its results, further variables."""

    store: str
    campaign: Path
    folder: Path
    variables: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        return [
            *words,
            "reproduce",
            "--campaign",
            str(self.campaign),
            "--store",
            self.store,
            "--quiet",
            "--workers",
            "2",
        ]

    def run(self, command: Sequence[str], *codes: int) -> Taken:
        """What a command took that ends with one of these codes."""
        began, before = time.perf_counter(), os.times()
        variables = {**os.environ, "DO_NOT_TRACK": "1", **self.variables}
        ended = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)  # noqa: S603
        if ended.returncode not in codes:
            sys.exit(f"{' '.join(command)}: ended with {ended.returncode}\n{ended.stdout}{ended.stderr}")
        after = os.times()
        processor = after.children_user + after.children_system - before.children_user - before.children_system
        return {"seconds": time.perf_counter() - began, "processor": processor}

    def watched(self, failing: str = "-", code: int = 0) -> dict[str, Any]:
        """The stages of a run with the stand-in for a trainer, and the whole of it."""
        module = (sys.executable, "-m", "benchmarks.scale_command", str(self.folder), failing)
        whole = self.run(self.command(*module), code)
        return {**json.loads((self.folder / STAGES).read_text()), "whole": whole}

    def as_typed(self) -> Taken:
        """What the command takes as a person types it."""
        return self.run(self.command(sys.executable, "-m", "prefect", "run"), 0)

    def requests(self) -> list[Asked]:
        """Those to S3 since the last call."""
        lines = (self.folder / REQUESTS).read_text().splitlines()
        (self.folder / REQUESTS).unlink()
        return [Asked(METHODS[operation], key, int(status)) for operation, status, key in map(str.split, lines)]


def prepare(folder: Path) -> Path:
    """Store the corpus, train one trial of each variant for all others, and return the store."""
    parsed, verses = folder / "parsed", folder / "verses"
    verses.mkdir()
    for number in range(60):
        (verses / f"{number}.txt").write_text(
            "".join(f"{number % 7} and {line} is {number % 7 + line}\n" for line in range(12))
        )
    ingest = [sys.executable, "-m", "prefect", "run", "ingest", CORPUS, "--characters", str(verses)]
    ended = subprocess.run([*ingest, "--store", str(parsed), "--quiet"], cwd=ROOT, capture_output=True, text=True)  # noqa: S603
    if ended.returncode:
        sys.exit(ended.stderr)
    from infra.campaign_file import read_campaign
    from infra.settings import CampaignRequest
    from tasks.ingest import find_name
    from tasks.trials.data import data_of

    store = Store(str(parsed))
    asked = CampaignRequest(campaign=read_campaign(campaign_file(folder, 100)), store=store.address)
    named = find_name(store, CORPUS)
    assert named is not None  # noqa: S101  # it was just parsed
    campaign, data = resolve(asked, store), data_of(store.address, named.digest)
    made = {}
    for variant in VARIANTS:
        for draw in range(campaign.trials):
            trial = draw_trial(campaign, CORPUS, named.digest, variant, draw)
            made[variant] = train(trial, data.pieces["train"], data.pieces["valid"], data.corpus.width)
            if made[variant].status == "completed":
                break
    (folder / RESULTS).write_bytes(pickle.dumps(made))
    return parsed


def campaign_file(folder: Path, trials: int) -> Path:
    path = folder / f"many-{trials}.toml"
    path.write_text(CAMPAIGN % (trials // STUDIES // len(VARIANTS)))
    return path


def on_disk(folder: Path, parsed: Path, trials: int) -> dict[str, Any]:
    """The figures of a campaign of so many trials on a local store."""
    campaign = campaign_file(folder, trials)

    def place(name: str) -> Place:
        store = folder / f"{name}-{trials}"
        shutil.copytree(parsed, store)
        return Place(str(store), campaign, folder, {})

    here = place("whole")
    first = here.watched()
    again = median([here.as_typed() for _ in range(AGAIN)])
    shutil.rmtree(Path(here.store) / "finished", ignore_errors=True)
    unnoted = here.watched()
    shutil.rmtree(here.store)
    figures = {"load": os.getloadavg()[0], "first": first, "again": again, "again without its note": unnoted}
    for name, failing in {"all raise": ",".join(VARIANTS), "one variant raises": VARIANTS[-1]}.items():
        there = place("failing")
        figures[name] = there.watched(failing, 1)
        shutil.rmtree(there.store)
    return figures


def median(taken: Sequence[Taken]) -> Taken:
    return {name: statistics.median(each[name] for each in taken) for name in taken[0]}


def on_s3(folder: Path, parsed: Path, trials: int, endpoint: str) -> dict[str, Any]:
    """The figures of a campaign of so many trials on S3: seconds, requests of a trial and of all else."""
    address = f"s3://{BUCKET}/many-{trials}"
    there = Place(address, campaign_file(folder, trials), folder, environment(endpoint))
    copy = [sys.executable, "-m", "prefect", "run", "copy", "--from", str(parsed), "--to", address]
    there.run(copy, 0)
    first = there.watched()
    about_trials, rest = apart(there.requests())
    again = there.as_typed()
    there.run([*there.command(sys.executable, "-m", "benchmarks.scale_command", str(folder), "-")], 0)
    return {
        "first": first,
        "again": again,
        "a trial": mean(about_trials, trials),
        "all else": mean(rest, 1),
        "again, all": mean(there.requests(), 1),
    }


def apart(requests: Sequence[Asked]) -> tuple[list[Asked], list[Asked]]:
    """The requests about trials of the search, and all others; a fresh seed is a trial that is scored."""
    places = [(each, each.key.split("/")) for each in requests]
    finals = {place[2] for _, place in places if place[1:2] == ["scores"]}
    searched = [
        place[1:2] in (["trials"], ["checkpoints"]) and place[2:3] != [""] and place[2] not in finals
        for _, place in places
    ]
    return (
        [each for each, about in zip(requests, searched, strict=True) if about],
        [each for each, about in zip(requests, searched, strict=True) if not about],
    )


def told(figures: Mapping[int, Mapping[str, Any]]) -> str:
    """The table of the local store: processor seconds, and seconds behind them."""
    sizes = list(figures)

    def both(name: str, stage: str, processes: str = "processor") -> list[str]:
        rows = [figures[size][name][stage] if stage else figures[size][name] for size in sizes]
        return [f"{row[processes]:.1f}, {row['seconds']:.1f}" for row in rows]

    def each(name: str) -> list[str]:
        rows = [(size, figures[size][name]["trials"]) for size in sizes]
        return [f"{1e3 * row['processor'] / size:.1f}, {1e3 * row['seconds'] / size:.1f}" for size, row in rows]

    def mib(stage: str) -> list[str]:
        return [f"{figures[size]['first'][stage]['flow_mib']:.0f}" for size in sizes]

    rows = {
        "plan, nothing stored, s": both("first", "plan", "flow_processor"),
        "plan, all stored, s": both("again without its note", "plan", "flow_processor"),
        "a trial, ms": each("first"),
        "the flow's memory after the trials, MiB": mib("trials"),
        "the flow's memory after the report, MiB": mib("report"),
        "report, s": both("first", "report", "flow_processor"),
        "the finished campaign again, s": both("again", ""),
        "again without its note, s": both("again without its note", "whole"),
        "a trial where all raise, ms": each("all raise"),
        "a trial where one variant of four raises, ms": each("one variant raises"),
        "report where one variant raises, s": both("one variant raises", "report", "flow_processor"),
    }
    lines = [("processor, wall", *(f"{size:,} trials" for size in sizes)), ("---",) * (len(sizes) + 1)]
    lines += [(name, *cells) for name, cells in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told_of_s3(figures: Mapping[int, Mapping[str, Any]]) -> str:
    """The table of S3."""
    head = ("trials", "a trial, processor ms, ms", "again, processor s, s", "requests of", *KINDS, "in all")
    rows = []
    for trials, of in figures.items():
        run, again = of["first"]["trials"], of["again"]
        times: tuple[str, ...] = (
            f"{trials:,}",
            f"{1e3 * run['processor'] / trials:.1f}, {1e3 * run['seconds'] / trials:.1f}",
            f"{again['processor']:.1f}, {again['seconds']:.1f}",
        )
        for name in ("a trial", "all else", "again, all"):
            row = of[name]
            rows.append((*times, name, *(f"{row[kind]:g}" for kind in KINDS), f"{sum(row.values()):g}"))
            times = ("",) * len(times)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def kept(figures: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """These figures, and those of other sizes that an earlier run has kept."""
    path = KEPT / "scale.json"
    before = json.loads(path.read_text()) if path.is_file() else {}
    return {
        place: {**before.get(place, {}), **{str(trials): of for trials, of in found.items()}}
        for place, found in figures.items()
    }


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]]
    if provenance()["dirty"]:
        print("the checkout differs from its commit: no note of a finished campaign is made or used", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        parsed = prepare(folder)
        local: dict[int, Any] = {}
        for trials in sizes or SIZES:
            local[trials] = on_disk(folder, parsed, trials)
            print(told({trials: local[trials]}), flush=True)
            keep("scale", kept({"local": local, "s3": {}}))
        remote: dict[int, Any] = {}
        if on := [trials for trials in sizes or SIZES_ON_S3 if trials <= max(SIZES_ON_S3)]:
            endpoint = stack.enter_context(running_server(folder))
        for trials in on:
            remote[trials] = on_s3(folder, parsed, trials, endpoint)
            print(told_of_s3({trials: remote[trials]}), flush=True)
            keep("scale", kept({"local": local, "s3": remote}))


if __name__ == "__main__":
    main()
