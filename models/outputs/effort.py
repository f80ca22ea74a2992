"""What an estimate of a log-likelihood may cost, of output models that can only estimate it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What an estimate may cost.

    Attributes:
        chains: of each machine, 2 or more.
        temperatures: steps K from the base machine.
    """

    chains: int
    temperatures: int

    def __post_init__(self) -> None:
        if self.chains < 2 or self.temperatures < 1:
            raise ValueError(f"effort: wants 2 chains and 1 temperature or more, got {self}")

    @property
    def work(self) -> int:
        """Steps of chains for one machine."""
        return self.chains * self.temperatures


COARSE = Effort(10, 100)
"""Of every step of what is reported; what it is off by is estimated (`models/evaluation/estimation.py`)."""
MONITOR = Effort(100, 100)
"""While training."""
FULL = Effort(100, 1000)
"""Of a number that is reported."""
