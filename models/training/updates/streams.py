"""The random numbers of updates: one generator for each member, whose state carries over from update to update.

Draws that are made once in each epoch, such as the order of pieces, follow from the epoch's number and need none of
these.
"""

from collections.abc import Sequence

import torch

from models.randomness import generator_for
from models.trial import Trial


class Streams:
    """The generators of the members of a stack, initially at the start of their streams.

    Args:
        trials: the members.
        device: of the generators.

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
        """Keep only these members, in this order."""
        self.dropout, self.chains = ([generators[s] for s in rows] for generators in (self.dropout, self.chains))
