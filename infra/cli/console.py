"""How a command ends: exit code, and the one line on standard error that says why.

0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, 143 stopped by SIGTERM. Anything that is not a
`CounterpointError` is a defect of ours and keeps its traceback.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from infra.errors import ConfigurationError, CounterpointError

if TYPE_CHECKING:
    from cyclopts import CycloptsError

FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def usage_error(error: "CycloptsError") -> NoReturn:
    """Error formatter of the cyclopts apps: end with one line instead of a panel."""
    _end(f"{' '.join(str(error).split())} (see --help)", WRONG_USAGE)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Turn what a person can mend, and being stopped, into one line and an exit code."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except ConfigurationError as error:
        _end(str(error), WRONG_USAGE)
    except CounterpointError as error:
        _end(str(error), FAILED)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from what is stored", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    print("terminated; the same command goes on from what is stored", file=sys.stderr)
    raise SystemExit(TERMINATED)


def _end(message: str, code: int) -> NoReturn:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(code)
