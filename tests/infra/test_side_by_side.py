"""Calls side by side: in order, all ended before an error is told, in threads that stay and are a process's own."""

import os
import threading

import pytest

from infra.store.side_by_side import AT_A_TIME, side_by_side


def test_results_are_in_the_order_of_the_values_and_the_threads_stay() -> None:
    def name(_: int) -> str:
        return threading.current_thread().name

    assert side_by_side(lambda n: n * n, range(3 * AT_A_TIME)) == [n * n for n in range(3 * AT_A_TIME)]
    used = {each for _ in range(5) for each in side_by_side(name, range(AT_A_TIME))}
    assert used <= {name(0), *(f"store_{n}" for n in range(AT_A_TIME))}
    assert side_by_side(name, [0]) == [name(0)], "one value needs no thread"
    assert side_by_side(name, []) == []


@pytest.mark.parametrize("bad", [0, 2])
def test_all_have_ended_when_an_error_is_raised(bad: int) -> None:
    failed, ended = threading.Event(), []

    def work(number: int) -> None:
        if number == bad:
            failed.set()
            raise ValueError(f"number {number}")
        failed.wait(10)
        ended.append(number)

    with pytest.raises(ValueError, match=f"number {bad}"):
        side_by_side(work, [bad, 1, 3] if bad == 0 else [1, 3, bad])
    assert sorted(ended) == [1, 3]


def test_a_fork_starts_threads_of_its_own() -> None:
    side_by_side(abs, [1, 2])
    child = os.fork()
    if not child:
        os._exit(side_by_side(abs, [-1, -2]) != [1, 2])
    assert os.waitpid(child, 0)[1] == 0
