"""The end of a command: its exit code, and one line on standard error with the reason.

Exit codes: 0 done; 1 failed; 2 wrong usage; 129, 130, 143 stopped by SIGHUP, Ctrl-C, SIGTERM. An exception that is not
a `CounterpointError` is a bug in this program, and keeps its traceback.
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
"""Signals that end a command as Ctrl-C does, each with its word; the exit code is 128 plus the signal's number."""

USED_UP = {
    errno.ENOSPC: "free some space, or set TMPDIR to another folder",
    errno.EDQUOT: "free some space, or set TMPDIR to another folder",
    errno.EMFILE: "raise the limit (ulimit -n)",
    errno.ENFILE: "close some programs",
}
"""Errors of exhausted resources, which can occur anywhere in a command, each with its mend."""


def usage_error(error: "CycloptsError") -> NoReturn:
    """Error formatter of the cyclopts apps: exit with one line instead of a panel."""
    _end(f"{' '.join(str(error).split())} (see --help)", WRONG_USAGE)


@contextmanager
def told_in_one_line(as_json: bool = False) -> Iterator[None]:
    """Wrap a whole command: clean its environment, make its output robust, turn errors into one line and an exit code.

    Args:
        as_json: whether standard output gets a single JSON object and nothing else.
    """
    _drop_empty_variables()
    with forgiving_output(), _ends_in_one_line():
        with documents_alone(as_json):
            yield
        check_written()


def _drop_empty_variables() -> None:
    """Unset empty AWS variables such as AWS_PROFILE, as our own variables are; boto would look for an empty name.

    File variables (AWS_CONFIG_FILE) are kept, since an empty one is the only way to say that there is no file.
    """
    for name in [name for name, value in os.environ.items() if name.startswith("AWS_") and not value]:
        if not name.endswith("_FILE"):
            del os.environ[name]


@contextmanager
def _ends_in_one_line() -> Iterator[None]:
    """Turn errors that a user can mend, and stop signals, into one line and an exit code."""
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
