"""How many files may be open: asked for up to what the system allows, and one line where that is too few."""

import resource
from collections.abc import Callable

import pytest

from infra.errors import CounterpointError
from infra.machine.limits import raise_file_limit

Limits = Callable[[int, int], list[tuple[int, int]]]


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Sets what the system says; what is then asked of it."""

    def set_(soft: int, hard: int) -> list[tuple[int, int]]:
        asked: list[tuple[int, int]] = []
        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _, both: asked.append(both))
        return asked

    return set_


@pytest.mark.parametrize(
    ("soft", "hard", "asked"),
    [
        (64, 1024, (1024, 1024)),
        (256, resource.RLIM_INFINITY, (4096, resource.RLIM_INFINITY)),
        (1024, 1048576, (4096, 1048576)),
        (8192, 1048576, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_more_is_asked_for_where_the_shell_allows_less(
    limits: Limits, soft: int, hard: int, asked: tuple[int, int] | None
) -> None:
    done = limits(soft, hard)
    raise_file_limit()
    assert done == ([] if asked is None else [asked])


def test_too_few_is_one_line(limits: Limits) -> None:
    limits(64, 64)
    with pytest.raises(CounterpointError, match="^only 64 files may be open at once here.*ulimit -n"):
        raise_file_limit()
