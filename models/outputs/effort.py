"""The computational effort of estimating a log-likelihood, for output models that can only estimate it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """The effort of annealed importance sampling for one estimate.

    Attributes:
        chains: number of chains for each machine, 2 or more.
        temperatures: number K of steps from the base machine.
    """

    chains: int
    temperatures: int

    def __post_init__(self) -> None:
        if self.chains < 2 or self.temperatures < 1:
            raise ValueError(f"effort: wants 2 chains and 1 temperature or more, got {self}")

    @property
    def work(self) -> int:
        """Number of chain steps for one machine."""
        return self.chains * self.temperatures


COARSE = Effort(10, 100)
"""For every step of a reported split; its bias is then estimated (`models/evaluation/estimation.py`)."""
MONITOR = Effort(100, 100)
"""During training."""
FULL = Effort(100, 1000)
"""For the sampled steps of a reported split."""
