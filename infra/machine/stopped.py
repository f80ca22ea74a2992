"""What is said when Ctrl-C stops a command, also before the command is there to hear it.

Prefect and its command line are loaded for a second before `prefect run` comes to ours. What this does not do: hear
what comes before Prefect loads our plugin, which is in the hands of Prefect.
"""

import sys
from types import TracebackType

STOPPED = "stopped; the same command goes on from what is stored"


def hear_early() -> None:
    """Tell a Ctrl-C that nobody catches in one line from now on; Python then ends with SIGINT, 130 in a shell."""
    before = sys.excepthook

    def told(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            print(STOPPED, file=sys.stderr)
        else:
            before(kind, error, where)

    sys.excepthook = told
