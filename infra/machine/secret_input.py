"""Ask for a secret in a way that no process list, history or log keeps: never as an option of a command."""

import getpass
import os
import sys

from infra.errors import ConfigurationError


def asked_secret(variable: str, prompt: str) -> str:
    """A secret from an environment variable, else from a hidden prompt on a terminal, else a line of standard input.

    Raises:
        ConfigurationError: nothing was given.
    """
    given = os.environ.get(variable, "").strip()
    if not given:
        given = (getpass.getpass(f"{prompt} (hidden): ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not given:
        raise ConfigurationError(f"{prompt}: nothing is given; set {variable}, or write it to standard input")
    return given
