"""What happens to whom and when, drawn from a seed."""

import random
from dataclasses import dataclass
from typing import Literal

How = Literal["killed", "stopped", "paused", "throttled"]
"""SIGKILL; SIGTERM; SIGSTOP and later SIGCONT; every request told 503 SlowDown for some time."""

FLOW, SCHEDULER, PREFECT, S3 = "flow", "scheduler", "prefect", "s3"
WORKERS = ("worker-1", "worker-2")
INNER = "the process of {}"
"""What computes, under its nanny."""

KINDS: dict[str, tuple[How, ...]] = {
    FLOW: ("killed", "stopped", "paused"),
    WORKERS[0]: ("killed", "stopped", "paused"),
    INNER.format(WORKERS[1]): ("killed",),
    SCHEDULER: ("killed", "paused"),
    PREFECT: ("killed", "paused"),
    S3: ("killed", "paused", "throttled"),
}


@dataclass(frozen=True)
class Fault:
    """Something that happens.

    Attributes:
        at: seconds after the round began.
        whom: name of the part.
        how: what is done to it.
        seconds: how long it lasts; 0 for what has no length.
    """

    at: float
    whom: str
    how: How
    seconds: float

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.whom} {self.how}{lasting}"


def schedule(seed: int, number: int, length: float) -> list[Fault]:
    """The faults of a round: two to six; whom each befalls is drawn evenly, then how.

    Args:
        seed: of all rounds.
        number: of the round.
        length: seconds within which they begin.

    >>> schedule(1, 1, 60) == schedule(1, 1, 60) != schedule(1, 2, 60)
    True
    """
    draws = random.Random(f"{seed} {number}")  # noqa: S311
    faults = []
    for at in sorted(draws.uniform(1, length) for _ in range(draws.randint(2, 6))):
        whom = draws.choice(list(KINDS))
        how = draws.choice(KINDS[whom])
        lasts = draws.uniform(2, 20) if how in ("paused", "throttled") else 0.0
        faults.append(Fault(at, whom, how, lasts))
    return faults
