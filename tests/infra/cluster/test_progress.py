"""What progress is shown for which events, and that events travel from a worker to the flow's process."""

import io
import math

import distributed
import pytest
from rich.console import Console

from infra.cluster.progress import ProgressDisplay, report_progress, show_progress


def trial(key: str, valid: float | None = -9.0, status: str = "completed", variant: str = "a") -> dict[str, object]:
    return {"kind": "trial", "key": key, "corpus": "bach", "variant": variant, "status": status, "valid": valid,
            "seconds": 1.0}  # fmt: skip


def shown(total: int) -> tuple[ProgressDisplay, io.StringIO]:
    text = io.StringIO()
    return ProgressDisplay(total, plain=Console(file=text, width=40)), text


def test_a_trial_that_ran_twice_counts_once() -> None:
    progress, _ = shown(4)
    for key in ("x", "y", "x"):
        progress.handle(trial(key))
    assert progress.done == 2


def test_the_best_is_the_highest_finite_validation_score() -> None:
    progress, _ = shown(4)
    for key, valid in [("w", -9.0), ("x", -8.5), ("y", math.nan), ("z", None)]:
        progress.handle(trial(key, valid, variant=f"SGD+{key}"))
    assert progress.best == {"bach": (-8.5, "SGD+x")}


def test_troubles_are_counted_in_the_summary() -> None:
    progress, _ = shown(5)
    for key, status in [("w", "untrained"), ("x", "diverged"), ("y", "diverged"), ("z", "failed")]:
        progress.handle(trial(key, None, status))
    assert progress.summary().startswith("trials 4/5, 2 diverged, 1 learned nothing, 1 failed, ")


def test_a_plain_line_comes_at_every_tenth_of_the_way_and_is_not_wrapped() -> None:
    progress, text = shown(1000)
    for number in range(1000):
        progress.handle(trial(str(number)))
    lines = text.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == [f"trials {count}/1000" for count in range(100, 1001, 100)]


def test_parsing_is_told_for_each_corpus() -> None:
    progress, text = shown(0)
    for corpus in ("bach", "folk"):
        for done in (1, 2):
            progress.handle({"kind": "ingest", "corpus": corpus, "done": done, "total": 2})
    assert [line.split(",")[0] for line in text.getvalue().splitlines()] == [
        f"parsing {corpus}: {done}/2 files" for corpus in ("bach", "folk") for done in (1, 2)
    ]


def test_a_download_is_told_in_megabytes_and_is_drawn_until_the_parsing() -> None:
    progress, text = shown(0)
    for done in range(0, 10_000_001, 100_000):
        progress.handle({"kind": "download", "corpus": "songs", "done": done, "total": 10_000_000})
    assert text.getvalue().splitlines()[::3] == [f"downloading songs: {n}.0/10.0 MB" for n in (1, 4, 7, 10)]
    drawing = ProgressDisplay(0)
    drawing.handle({"kind": "download", "corpus": "songs", "done": 2_500_000, "total": None})
    assert "downloading songs" in drawn(drawing)
    assert "2.5 MB" in drawn(drawing)
    drawing.handle({"kind": "ingest", "corpus": "songs", "done": 1, "total": 2})
    assert "downloading" not in drawn(drawing)


def drawn(progress: ProgressDisplay) -> str:
    console = Console(file=io.StringIO(), width=120, record=True)
    console.print(progress.render())
    return console.export_text()


def test_what_is_drawn_on_a_terminal_names_the_count_and_the_best() -> None:
    progress = ProgressDisplay(4, label="search")
    progress.handle(trial("x", -8.25, variant="rnn/bernoulli/SGD+[C]"))
    progress.handle({"kind": "ingest", "corpus": "folk", "done": 1, "total": 2})
    text = drawn(progress)
    for part in (
        "parsing folk",
        "search",
        "1/4",
        "left",
        "bach: best on validation rnn/bernoulli/SGD+[C], -8.2500 nats",
    ):
        assert part in text


def test_the_best_is_written_as_its_corpus_has_it() -> None:
    told = ProgressDisplay(4, score=lambda corpus, valid: f"{-valid / math.log(2):.3f} bits per {corpus}")
    told.handle(trial("x", -math.log(4.0), variant="SGD+C"))
    assert "bach: best on validation SGD+C, 2.000 bits per bach" in told.summary()
    assert "2.000 bits per bach" in drawn(told)


def test_outside_a_worker_reporting_does_nothing() -> None:
    report_progress(trial("x"))


@pytest.mark.integration
@pytest.mark.parametrize(("mode", "lines"), [("live", 2), ("plain", 2), ("quiet", 0)])
def test_events_travel_from_the_workers(monkeypatch: pytest.MonkeyPatch, mode: str, lines: int) -> None:
    monkeypatch.setenv("COUNTERPOINT_PROGRESS", mode)
    text = io.StringIO()
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        with show_progress(client, total=2, console=Console(file=text, width=200)) as progress:
            distributed.wait([client.submit(report_progress, trial(key)) for key in ("x", "y")])
        assert progress.done == 2
    assert len(text.getvalue().splitlines()) == lines


def test_the_summary_which_counts_all_trials_is_made_for_each_line_and_not_for_each_event(monkeypatch) -> None:
    made, summary = [], ProgressDisplay.summary
    monkeypatch.setattr(ProgressDisplay, "summary", lambda progress: made.append(progress) or summary(progress))
    progress, text = shown(1000)
    quiet = ProgressDisplay(1000)
    for number in range(1000):
        for each in (progress, quiet):
            each.handle(trial(str(number)))
    assert len(made) == len(text.getvalue().splitlines()) == 10
