"""`--json`: one object, as docs/programs.md has it, and nothing else on standard output; text of the same value."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from flows.cli import run_app
from flows.cli.console import told_in_one_line
from infra.machine.answer import Answer
from infra.machine.output import MODE_VARIABLE, tell
from infra.server.notifications import NAMES, Notified
from infra.store import Store
from tasks.ingest.building.recipe import Recipe
from tasks.ingest.stored import store_corpus
from tasks.publishing.answers.ingested import ingested
from tasks.publishing.answers.outcome import Outcome
from tasks.publishing.answers.planned import Planned
from tasks.publishing.answers.reports import Rebuilt
from tasks.publishing.publish import publish
from tasks.publishing.resolution import Smallest
from tasks.report.compared import compare_results
from tasks.report.kept import FOLDER, kept_files
from tasks.search.plan import Plan, PlanRow
from tasks.search.search import Search
from tasks.search.share import Share
from tasks.search.share_outcome import share_outcome
from tasks.search.standing import Standing
from tasks.trials.ledger import Ledger
from tests.documents import ROOT
from tests.tasks.conftest import Finished, tiny_music
from tests.tasks.report.compared.versions import SGD, C, version

DOCUMENT = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
SECTION = re.compile(
    r"^### (?P<commands>`[^\n]*`): `counterpoint\.(?P<schema>\w+)` (?P<version>\d+)\n(?P<text>.*?)(?=^#|\Z)",
    re.MULTILINE | re.DOTALL,
)
SECTIONS = {found["schema"]: found for found in SECTION.finditer(DOCUMENT)}
COMPARISON = (ROOT / "docs" / "report.md").read_text(encoding="utf-8").partition("| key of `comparison.json` ")[2]
COMPARISON = COMPARISON.partition("\n\n")[0]


def documented(text: str) -> set[str]:
    """The fields of a section: what stands in code in the first column of its table."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return {field for row in rows for field in re.findall(r"`([^`]*)`", row)}


def fields(value: object, told: set[str], path: str = "") -> Iterator[str]:
    """The fields of an object, down to those that are told; of an empty list nobody knows more."""
    if path in told:
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, told, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from fields(inner, told, f"{path}[]")
    else:
        yield path


def read(out: str) -> dict[str, Any]:
    """The one object that is all of an output."""
    (line,) = out.splitlines()
    assert line.isascii()
    document: dict[str, Any] = json.loads(line)
    return document


@dataclass(frozen=True)
class Place:
    """A store with two reports and what a killed writer left, a finished campaign, and a folder."""

    store: Store
    older: str
    finished: Finished
    folder: Path


@cache
def _files(luck: int) -> dict[str, bytes]:
    results = version(luck, {SGD: -9.0, C: -9.0})
    answers = {"songs": {"line": "songs: SGD −9.0 nats per frame"}}
    document = {"campaign": {"preset": "small", "changes": []}, "answers": answers}
    tables = {f"{FOLDER}/{name}": data for name, data in kept_files(results).items()}
    return {"index.html": b"<p>", "results.json": json.dumps(document).encode(), **tables}


@pytest.fixture
def place(store: Store, finished: Finished, tmp_path: Path) -> Place:
    older, _ = [publish(store, _files(luck), {}, now=datetime(2026, 1, luck, tzinfo=UTC)) for luck in (1, 2)]
    left = f"/{store.address.removeprefix('memory://')}/trials/{'b' * 64}/weights-0123456789ab"
    MemoryFileSystem().pipe_file(left, b"w")
    return Place(store, older, finished, tmp_path)


TYPED: dict[str, Callable[[Place], list[str]]] = {
    "list": lambda at: ["list"],
    "pull": lambda at: ["pull", "--to", str(at.folder / "pulled")],
    "comparison": lambda at: ["compare"],
    "copy": lambda at: ["copy", "--from", at.store.address, "--to", str(at.folder / "other")],
    "sample": lambda at: ["sample", at.finished.finals[0].trial.key, "--to", str(at.folder), "--steps", "3"],
    "verify": lambda at: ["verify"],
    "gc": lambda at: ["gc", "--keep-reports", "0", "--hours", "-1"],
    "disk": lambda at: ["disk"],
    "delete": lambda at: ["delete", at.older],
}
"""What is typed for an object, by its name."""


def _typed(at: Place, schema: str) -> list[str]:
    address = (at.finished.store if schema == "sample" else at.store).address
    return [*TYPED[schema](at), *([] if schema == "copy" else ["--store", address]), "--json"]


def _outcome(at: Place) -> Outcome:
    return Outcome(at.store.address, at.older, "an address", "the table", 4, 1)


def _share(at: Place) -> Answer:
    search = Search(at.finished.campaign, at.finished.digests, Share(1, 2))
    return share_outcome(Standing(Ledger(at.finished.store), search), Share(1, 2))


def _planned(at: Place) -> Answer:
    plan = Plan((PlanRow("songs", SGD, 4, 1, 36.0),), outdated=1)
    smallest = (Smallest("songs", "log_likelihood", "nats per frame", 0.1, 5, at.older),)
    campaign = replace(at.finished.campaign, left_out={"tunes": "none of the variants is of text"})
    return Planned(campaign, plan, 2, smallest, ("a sentence",))


def _ingested(at: Place) -> Answer:
    corpus = replace(tiny_music(), source={"quarantined": {"a.mid": "a.mid: no note"}, "told": ["as it is"]})
    recipe = Recipe(corpus.name, corpus.kind, 1, lambda source: {}, lambda inputs, progress, map_function: corpus)
    store_corpus(at.store, corpus, recipe, {})
    return ingested(at.store, {corpus.name: corpus.digest})


TOLD: dict[str, Callable[[Place], Answer]] = {
    "outcome": _outcome,
    "share": _share,
    "rebuilt": lambda at: Rebuilt([at.folder / "index.html"]),
    "plan": _planned,
    "ingest": _ingested,
    "notified": lambda at: Notified(("a webhook at example.org",), NAMES, "sent"),
}
"""What flows tell within a command, by the name of the object."""


def test_every_command_has_an_object_and_every_object_a_section() -> None:
    commands = {name for name in run_app if not name.startswith("-")}
    told = {command.split()[0] for each in SECTIONS.values() for command in re.findall(r"`([^`]*)`", each["commands"])}
    assert told == commands
    assert set(SECTIONS) == set(TYPED) | set(TOLD)
    for name in commands:
        options = {option for argument in run_app[name].assemble_argument_collection() for option in argument.names}
        assert "--json" in options, name


@pytest.mark.parametrize("schema", [*TYPED, *TOLD])
def test_a_command_writes_the_object_that_is_documented_and_nothing_else(
    schema: str, place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.publishing.compare.compare_results", partial(compare_results, resamples=50))
    if schema in TYPED:
        run_app(_typed(place, schema), result_action="return_value")
    else:
        with told_in_one_line(as_json=True):
            print("a library speaks")
            tell("a table on the way")
            tell(TOLD[schema](place))
    out, err = capsys.readouterr()
    document = read(out)
    assert (document.pop("schema"), document.pop("schema_version")) == (f"counterpoint.{schema}", 1)
    assert SECTIONS[schema]["version"] == "1"
    told = documented(COMPARISON if schema == "comparison" else SECTIONS[schema]["text"])
    assert set(fields(document, told)) == told - ({"schema", "schema_version"} if schema == "comparison" else set())
    assert err == ("" if schema in TYPED else "a library speaks\na table on the way\n")


@pytest.mark.parametrize("schema", ["list", "gc"])
def test_the_text_is_that_of_the_same_value(schema: str, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    words = _typed(place, schema)
    run_app(words, result_action="return_value")
    document = read(capsys.readouterr().out)
    run_app(words[:-1], result_action="return_value")
    text = capsys.readouterr().out
    rows = next(value for value in document.values() if isinstance(value, list))
    assert rows
    for value in (each for row in rows for each in row.values() if isinstance(each, str | int) and each):
        assert (f"{value:,}" if type(value) is int else "(latest)" if value is True else value) in text


def _failing(outcome: Outcome) -> None:
    with told_in_one_line(as_json=True):
        tell(outcome)
        outcome.check_complete()


def test_what_was_found_before_a_failure_is_written_and_the_failure_is_one_line(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    where = f"/{place.store.address.removeprefix('memory://')}/reports/{place.older}"
    (index,) = MemoryFileSystem().glob(f"{where}/index*")
    MemoryFileSystem().pipe_file(index, b"<b>")
    with pytest.raises(SystemExit) as ended:
        run_app(["verify", "--json", "--store", place.store.address])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (1, "error: 1 fault in a store of 2 commits\n")
    (line,) = read(out)["damaged"]
    assert f"reports/{place.older}/index.html" in line
    with pytest.raises(SystemExit) as ended:
        _failing(_outcome(place))
    out, err = capsys.readouterr()
    assert (ended.value.code, err.count("\n"), read(out)["failures"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["pull", "20260102T120000Z-00000000", "--to", "x"], 1),
        (["delete", "latest"], 2),
        (["plan", "--show"], 2),
        (["compare", "nowhere"], 2),
        (["copy", "--from", "memory://one", "--to", "memory://one"], 2),
        (["report", "--from", "nowhere"], 2),
    ],
)
def test_of_a_mistake_there_is_no_object(
    words: list[str], code: int, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    store = [] if "--from" in words else ["--store", place.store.address]
    with pytest.raises(SystemExit) as ended:
        run_app([*words, *store, "--json"])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, err.count("\n")) == (code, "", 1)
    assert err.startswith("error: ")


def test_quiet_leaves_out_what_is_told_on_the_way(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(MODE_VARIABLE, "quiet")
    with told_in_one_line(as_json=True):
        tell("a table on the way")
        tell(_outcome(place))
    out, err = capsys.readouterr()
    assert (read(out)["version"], err) == (place.older, "")
    with told_in_one_line():
        tell("a table on the way")
        tell(_outcome(place))
    assert capsys.readouterr().out == "a table on the way\nthe table\nreport: an address\n"
