"""A terminal of a width of its own."""

import io

import pytest


@pytest.fixture
def columns(monkeypatch):
    """Makes standard output a terminal of so many columns."""

    def of(number: int) -> None:
        terminal = io.StringIO()
        monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("tasks.telling.blocks.sys.stdout", terminal)
        monkeypatch.setenv("COLUMNS", str(number))

    return of
