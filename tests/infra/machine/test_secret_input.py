"""A secret comes from the environment, a hidden prompt or standard input, and is in no command line."""

import io
import sys

import pytest

from infra.errors import ConfigurationError
from infra.machine.secret_input import asked_secret


def test_a_variable_is_taken_before_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("from the input\nmore\n"))
    assert asked_secret("A_SECRET", "it") == "from the input"
    monkeypatch.setenv("A_SECRET", " from the environment ")
    assert asked_secret("A_SECRET", "it") == "from the environment"


def test_on_a_terminal_it_is_asked_for_and_not_shown(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed after {prompt}")
    assert asked_secret("A_SECRET", "the address") == "typed after the address (hidden):"


def test_nothing_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    with pytest.raises(ConfigurationError, match="^the address: nothing is given; set A_SECRET, or write it to"):
        asked_secret("A_SECRET", "the address")
