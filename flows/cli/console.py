"""How a command ends: exit code, and the one line on standard error that says why.

0 done, 1 failed, 2 wrong usage, 129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM. Anything that is not a
`CounterpointError` is a defect of ours and keeps its traceback.
"""

import errno
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from infra.errors import ConfigurationError, CounterpointError
from infra.machine.output import check_written, documents_alone, forgiving_output
from infra.machine.own_packages import in_the_way
from infra.machine.redaction import redacted
from infra.machine.stopped import STOPPED

if TYPE_CHECKING:
    from cyclopts import CycloptsError

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
STOPPED_BY = {signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
"""Signals that end a command as Ctrl-C does, and the word for it; the exit code is 128 and the signal's number."""

USED_UP = {
    errno.ENOSPC: "free some space, or set TMPDIR to another folder",
    errno.EDQUOT: "free some space, or set TMPDIR to another folder",
    errno.EMFILE: "raise the limit (ulimit -n)",
    errno.ENFILE: "close some programs",
}
"""What a machine may have no more of, wherever in a command that is noticed, and the mend."""


def usage_error(error: "CycloptsError") -> NoReturn:
    """Error formatter of the cyclopts apps: end with one line instead of a panel."""
    _end(f"{' '.join(str(error).split())} (see --help)", WRONG_USAGE)


@contextmanager
def told_in_one_line(as_json: bool = False) -> Iterator[None]:
    """Around all that a command does: its variables, its output, its end, its exit code.

    Args:
        as_json: whether standard output is for a program, which gets one JSON object and nothing else.
    """
    _drop_empty_variables()
    with forgiving_output(), _ends_in_one_line():
        with documents_alone(as_json):
            yield
        check_written()


def _drop_empty_variables() -> None:
    """Take an empty AWS_PROFILE as unset, as our own variables are taken; boto would look for what has no name.

    That a file is none (AWS_CONFIG_FILE) can be said by an empty name only, and is left.
    """
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        if not name.endswith("_FILE"):
            del os.environ[name]


@contextmanager
def _ends_in_one_line() -> Iterator[None]:
    """Turn what a person can mend, and being stopped, into one line and an exit code."""
    heard = [number for number in STOPPED_BY if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores one
    before = {number: signal.signal(number, _stop) for number in heard}
    try:
        if (line := in_the_way()) is not None:
            raise ConfigurationError(line)
        yield
    except ConfigurationError as error:
        _end(str(error), WRONG_USAGE)
    except CounterpointError as error:
        _end(str(error), FAILED)
    except OSError as error:
        if error.errno not in USED_UP:
            raise
        where = error.filename or f"the store or the temporary folder {tempfile.gettempdir()}"
        _end(f"{where}: {error.strerror}; {USED_UP[error.errno]}, and run again: it goes on", FAILED)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    with suppress(OSError):  # the terminal may be gone
        print(f"{STOPPED_BY[signal.Signals(number)]}; the same command goes on from what is stored", file=sys.stderr)
    raise SystemExit(128 + number)


def _end(message: str, code: int) -> NoReturn:
    print(f"error: {redacted(' '.join(message.split()))}", file=sys.stderr)
    raise SystemExit(code)
