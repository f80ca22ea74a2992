"""Many reads at a time: in the order that was asked, each once, and an error ends the others soon."""

import threading
from collections import Counter

import pytest

from infra.errors import StoreError
from tasks.telling import readable
from tasks.telling.readable import AT_A_TIME, many


def test_each_value_is_taken_once_by_few_threads_and_told_in_its_order() -> None:
    taken, threads = Counter[int](), set()

    def double(value: int) -> int:
        taken[value] += 1
        threads.add(threading.get_ident())
        return 2 * value

    values = list(range(1000, 0, -1))
    assert list(many(double, values).items()) == [(value, 2 * value) for value in values]
    assert set(taken.values()) == {1}
    assert len(threads) <= AT_A_TIME
    assert many(double, []) == {}
    assert many(double, iter([3, 3])) == {3: 6}


def test_an_error_is_raised_and_no_more_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    failed, begun = threading.Event(), []
    monkeypatch.setattr(readable, "Event", lambda: failed)

    def refused(value: int) -> None:
        begun.append(value)
        if value == 0:
            raise StoreError("no 0")
        assert failed.wait(60)

    with pytest.raises(StoreError, match="no 0"):
        many(refused, range(1000))
    assert len(begun) <= AT_A_TIME
