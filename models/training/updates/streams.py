"""Random numbers that updates draw from, a generator a member, which go with their member from one update to the next.

What is drawn once an epoch, as the order of its pieces, follows from the epoch's number and needs none.
"""

from collections.abc import Sequence

import torch

from models.randomness import generator_for
from models.trial import Trial


class Streams:
    """The generators of the members of a stack, at their start.

    Args:
        trials: the members.
        device: where they draw.

    Attributes:
        dropout: for the dropout of inputs and states.
        chains: for the Gibbs chains of an output model whose likelihood is intractable.
    """

    def __init__(self, trials: Sequence[Trial], device: torch.device | str = "cpu"):
        self.dropout, self.chains = (
            [generator_for(trial.stream, purpose, device=device) for trial in trials]
            for purpose in ("dropout", "chains")
        )

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these members alone, in this order."""
        self.dropout, self.chains = ([its[s] for s in rows] for its in (self.dropout, self.chains))
