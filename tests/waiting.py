"""Wait for what other processes do, for a stated time at most."""

import time
from collections.abc import Callable


def wait_until(true: Callable[[], object], what: str, seconds: float = 240) -> None:
    """Ask again and again; a test in which it does not become true fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.2)
