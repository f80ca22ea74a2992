"""The message when Ctrl-C stops a command, also while Prefect is still loading.

Prefect and its command line load for a second before `prefect run` reaches our code. What this does not do: catch a
Ctrl-C before Prefect loads our plug-in.
"""

import sys
from types import TracebackType

STOPPED = "stopped; the same command goes on from what is stored"


def hear_early() -> None:
    """From now on, report an uncaught Ctrl-C in one line; Python then ends by SIGINT, which is 130 in a shell."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print(STOPPED, file=sys.stderr)
        else:
            before(kind, error, where)

    sys.excepthook = hook
