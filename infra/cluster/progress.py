"""Live progress of a flow: workers send events over Dask's event topics, and the flow's process displays them.

Workers call `report_progress(event)` inside a task. The flow waits inside `show_progress(client, ...)`. An event is one
of

    {"kind": "trial", "key": str, "corpus": str, "variant": str, "status": str, "valid": float, "seconds": float}
    {"kind": "ingest", "corpus": str, "done": int, "total": int}
    {"kind": "download", "corpus": str, "done": bytes, "total": bytes or None}

where `valid` is the validation log-likelihood in nats per step (higher is better), NaN or None if there is none. On a
terminal a few lines are redrawn on standard error. Elsewhere (CI, logs) a plain line is printed at every tenth of the
work. COUNTERPOINT_PROGRESS=plain or quiet gives plain lines, or none, on a terminal too.

What this does not do: influence the run. A lost event costs a line on the screen, never a trial.
"""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import distributed
from prefect.logging.handlers import PrefectConsoleHandler
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from infra.machine.output import MODE_VARIABLE

TOPIC = "counterpoint"
LINES = 10  # plain lines from start to end
_UNKNOWN_STEP = 10_000_000  # bytes of a download

Event = Mapping[str, Any]
Score = Callable[[str, float], str]
"""A function from a corpus and its `valid` to text, such as `3.819 bits per character`."""


def in_nats(corpus: str, valid: float) -> str:
    """A validation score as text, in nats."""
    return f"{valid:.4f} nats per step"


def report_progress(event: Event) -> None:
    """Send an event, of JSON values only, to the process that shows progress; outside a Dask worker, do nothing."""
    try:
        worker = distributed.get_worker()
    except ValueError:
        return
    worker.log_event(TOPIC, dict(event))


@contextmanager
def show_progress(
    client: distributed.Client | None,
    total: int = 0,
    label: str = "trials",
    console: Console | None = None,
    keys: Collection[str] | None = None,
    score: Score = in_nats,
) -> Iterator["ProgressDisplay"]:
    """Show the events of a cluster's workers while the block runs.

    Args:
        client: from `infra.cluster.clusters.connect`; None if no worker sends events.
        total: number of trials that will be reported, >= 0, without those that were stored already.
        label: name of the counted things, shown before the bar.
        console: to draw on; standard error by default.
        keys: only these trials are shown, since another campaign may use the same cluster; None for all.
        score: formats the best score on validation.

    Returns:
        A context manager that yields the `ProgressDisplay`, for events of this process: `progress.handle(event)`.
    """
    console = console or Console(stderr=True, highlight=False)
    mode = os.environ.get(MODE_VARIABLE) or "live"
    live = mode == "live" and console.is_terminal and not console.is_dumb_terminal
    progress = ProgressDisplay(total, label, None if live or mode == "quiet" else console, keys, score)
    if client is not None:
        client.subscribe_topic(TOPIC, lambda event: progress.handle(event[1]))  # type: ignore[no-untyped-call]
    try:
        if live:
            with Live(get_renderable=progress.render, console=console, refresh_per_second=4), _logs_above(console):
                yield progress
        else:
            yield progress
    finally:
        if client is not None:
            client.unsubscribe_topic(TOPIC)  # type: ignore[no-untyped-call]


def say(line: str) -> None:
    """Print one line about the present activity on standard error; nothing in quiet mode."""
    if os.environ.get(MODE_VARIABLE) != "quiet":
        Console(stderr=True, highlight=False).print(line, style="dim", markup=False, soft_wrap=True)


class ProgressDisplay:
    """The progress reported so far. Trials are kept by key, so that a trial that Dask ran twice counts once.

    Args:
        total: number of trials to come.
        label: name of the counted things.
        plain: console for a plain line at every tenth of the work; None for no plain lines.
        keys: of the trials to count; None for all.
        score: formats the best score on validation.
    """

    def __init__(
        self,
        total: int,
        label: str = "trials",
        plain: Console | None = None,
        keys: Collection[str] | None = None,
        score: Score = in_nats,
    ) -> None:
        self.total = total
        self.label = label
        self.best: dict[str, tuple[float, str]] = {}
        self.statuses: dict[str, str] = {}
        self.ingested: dict[str, tuple[int, int]] = {}
        self.downloaded: dict[str, tuple[int, int | None]] = {}
        self._plain, self._keys, self._score = plain, keys, score
        self._told: dict[str, int] = {}
        self._started = time.monotonic()
        self._lock = threading.Lock()

    @property
    def done(self) -> int:
        """Number of trials that have ended, whatever their status."""
        return len(self.statuses)

    def handle(self, event: Event) -> None:
        """Record one event; events of unknown kinds are ignored."""
        with self._lock:
            if event["kind"] == "trial":
                if self._keys is None or event["key"] in self._keys:
                    self._handle_trial(event)
            elif event["kind"] == "ingest":
                self.ingested[event["corpus"]] = (event["done"], event["total"])
                line = f"parsing {event['corpus']}: {event['done']}/{event['total']} files"
                self._tell(event["corpus"], event["done"], event["total"], lambda: line)
            elif event["kind"] == "download":
                self.downloaded[event["corpus"]] = (event["done"], event["total"])
                line = f"downloading {event['corpus']}: {_megabytes(event['done'], event['total'])}"
                # If the length is unknown, a line is printed every ten megabytes.
                end = event["total"] or LINES * _UNKNOWN_STEP
                self._tell(f"{event['corpus']}, download", event["done"], end, lambda: line)

    def _handle_trial(self, event: Event) -> None:
        self.statuses[event["key"]] = event["status"]
        valid = event.get("valid")
        if valid is not None and math.isfinite(valid):
            best = self.best.get(event["corpus"], (-math.inf, ""))
            self.best[event["corpus"]] = max(best, (valid, event["variant"]))
        self._tell(self.label, self.done, self.total, self.summary)

    def _tell(self, what: str, done: int, total: int, line: Callable[[], str]) -> None:
        tenth = LINES * done // total if total else LINES
        if self._plain is not None and tenth > self._told.get(what, 0):
            self._told[what] = tenth
            self._plain.print(escape(line()), soft_wrap=True)  # made only now: it counts all trials

    def summary(self) -> str:
        """The state of the trials in one line: `trials 12/96, 1 diverged, 0:40 gone, about 4:40 left, best ...`."""
        parts = [f"{self.label} {self.done}/{self.total}", *self._troubles(), self._times()]
        return ", ".join(parts + self._bests())

    def _bests(self) -> list[str]:
        best = sorted(self.best.items())
        return [f"{corpus}: best on validation {v}, {self._score(corpus, valid)}" for corpus, (valid, v) in best]

    def _troubles(self) -> list[str]:
        troubles = {"diverged": "diverged", "untrained": "learned nothing", "failed": "failed"}
        counts = {words: list(self.statuses.values()).count(status) for status, words in troubles.items()}
        return [f"{count} {words}" for words, count in counts.items() if count]

    def _times(self) -> str:
        gone = time.monotonic() - self._started
        if not 0 < self.done < self.total:
            return f"{clock_text(gone)} gone"
        return f"{clock_text(gone)} gone, about {clock_text(gone / self.done * (self.total - self.done))} left"

    def render(self) -> RenderableType:
        """The lines that are redrawn on a terminal."""
        with self._lock:
            lines: list[RenderableType] = [
                _bar(f"downloading {corpus}", done, total, _megabytes(done, total))
                for corpus, (done, total) in self.downloaded.items()
                if done != total and corpus not in self.ingested
            ]
            lines += [
                _bar(f"parsing {corpus}", done, total, f"{done}/{total} files")
                for corpus, (done, total) in self.ingested.items()
                if done < total
            ]
            if self.total:
                tail = ", ".join([*self._troubles(), self._times()])
                lines.append(_bar(self.label, self.done, self.total, f"{self.done}/{self.total} {tail}"))
            lines += [Text(f"  {line}", style="dim") for line in self._bests()]
            return Group(*lines)


def clock_text(seconds: float) -> str:
    """Seconds as a text of minutes, or of hours.

    >>> clock_text(75), clock_text(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _megabytes(done: int, total: int | None) -> str:
    """Bytes of a download as a text of megabytes.

    >>> _megabytes(1_500_000, 3_000_000), _megabytes(1_500_000, None)
    ('1.5/3.0 MB', '1.5 MB')
    """
    return f"{done / 1e6:.1f} MB" if total is None else f"{done / 1e6:.1f}/{total / 1e6:.1f} MB"


def _bar(label: str, done: int, total: int | None, tail: str) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_row(Text(label), ProgressBar(total=total, completed=done, width=30, pulse=total is None), Text(tail))
    return row


@contextmanager
def _logs_above(console: Console) -> Iterator[None]:
    """Print Prefect's warnings and errors above the redrawn lines instead of in the middle of them."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, PrefectConsoleHandler)]
    before = [handler.console for handler in handlers]
    for handler in handlers:
        handler.console = console
    try:
        yield
    finally:
        for handler, original in zip(handlers, before, strict=True):
            handler.console = original
