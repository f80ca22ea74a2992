"""The interface of an updater, which makes the updates of an epoch: by gradients, or by Hessian-free steps.

Shape letters: S stacked trials.
"""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from models.training.updates.tallies import Tallies


class Place(Protocol):
    """A member's position in its training: the part of `progress.Progress` about the current epoch."""

    @property
    def epoch(self) -> int: ...  # noqa: D102

    @property
    def chunk(self) -> int: ...  # noqa: D102

    @property
    def learning_rate(self) -> float: ...  # noqa: D102


class Updater(Protocol):
    """Makes the updates of an epoch, and holds the state between them.

    Attributes:
        state: state of the optimizer for each member, by name in a checkpoint, with the S axis first.
        waits: whether the results of an update are read at once, so that a divergence is noticed before the next one.
    """

    @property
    def state(self) -> dict[str, Tensor]: ...  # noqa: D102

    @property
    def waits(self) -> bool: ...  # noqa: D102

    def begin_epoch(self, members: Sequence[Place]) -> None:
        """Begin the epoch of every member, or continue it after its finished chunks."""

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        """Make one update of every member whose epoch has one left.

        Args:
            tallies: sums to add to, and marks of diverged members.

        Returns:
            Which members had an update; if none had, nothing was done.
        """

    def rate(self, s: int, scheduled: float) -> float:
        """The learning rate of a member's next epoch: the schedule's, unless the method sets its own."""

    def stalled(self, s: int) -> bool:
        """Whether a member's updates no longer change its parameters."""

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        """`state` and all other tensors that later updates depend on, by name in a checkpoint, with the S axis first.

        Args:
            within_epoch: include tensors that only the rest of the current epoch depends on.
        """

    def keep(self, rows: list[int]) -> None:
        """Keep only these members, in this order; called after the network's and the streams' `keep`."""
