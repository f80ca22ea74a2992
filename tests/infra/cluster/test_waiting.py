"""Waiting for workers: one that can take the work ends it, and so does the time that was stated."""

from collections.abc import Callable
from typing import Any

import pytest
from distributed.comm.core import CommClosedError

from infra.cluster import waiting
from infra.cluster.waiting import GPU, ask_workers, wait_for_worker, workers_of
from infra.errors import ClusterError


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Client:
    """The part of Dask's client that is asked: workers by the time, and what each answers."""

    def __init__(self, workers: Callable[[], dict[str, dict[str, float]]]) -> None:
        self.workers, self.answers = workers, dict[str, Any]()

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        assert n_workers == -1, "all of them, not the first five"
        return {"workers": {name: {"resources": resources} for name, resources in self.workers().items()}}

    def run(self, function: Any, *arguments: Any, workers: Any, on_error: str) -> dict[str, Any]:
        assert on_error == "return"
        return self.answers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(waiting, "time", made)
    return made


def wait(client: Client, asked: dict[str, float], seconds: float = 300.0) -> None:
    wait_for_worker(client, asked, seconds, "SLURMCluster", "look into its queue")  # type: ignore[arg-type]


def test_a_worker_that_is_there_is_not_waited_for(clock: Clock) -> None:
    client = Client(lambda: {"a": {}, "b": {"GPU": 2.0}})
    wait(client, {})
    wait(client, dict(GPU))
    assert clock.now == 0.0
    assert list(workers_of(client, GPU)) == ["b"]  # type: ignore[arg-type]
    assert not workers_of(client, {"GPU": 3.0})  # type: ignore[arg-type]


def test_a_late_worker_is_waited_for_and_that_is_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    client = Client(lambda: {"late": {"GPU": 1.0}} if clock.now > 100 else {})
    wait(client, dict(GPU))
    assert 100 < clock.now < 101
    assert capsys.readouterr().err == "waiting for a worker of SLURMCluster with GPU=1, 300 s at most\n"


def test_no_worker_in_the_stated_time_is_an_error(clock: Clock) -> None:
    client = Client(dict)
    with pytest.raises(ClusterError, match="SLURMCluster has no worker: none came in 7 s; look into its queue"):
        wait(client, {}, 7.0)
    assert clock.now == pytest.approx(7.0)


def test_workers_without_what_is_asked_for_are_told_with_what_they_announce(clock: Clock) -> None:
    client = Client(lambda: {"a": {"CPU": 4.0}, "b": {}, "c": {"GPU": 1.0}})
    told = "no worker with GPU=2: the 3 that it has announce CPU=4 or GPU=1 or nothing; start one that does"
    with pytest.raises(ClusterError, match=told):
        wait(client, {"GPU": 2.0}, 1.0)


def test_a_worker_that_leaves_while_it_is_asked_is_left_out_and_what_one_raises_is_raised() -> None:
    """An adaptive cluster closes workers as it likes."""
    client = Client(lambda: {"a": {}, "b": {}})
    client.answers = {"a": 3, "b": CommClosedError("closing"), "gone": OSError("refused")}
    assert ask_workers(client, len) == {"a": 3}  # type: ignore[arg-type]
    for error in (OSError("the disk of one that is there"), ModuleNotFoundError("no module tasks")):
        client.answers = {"a": 3, "b": error}
        with pytest.raises(type(error), match=str(error)):
            ask_workers(client, len)  # type: ignore[arg-type]
