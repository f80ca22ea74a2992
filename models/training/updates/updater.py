"""What moves the networks of a stack through an epoch: by gradients (`gradient_descent.py`), or Hessian-free.

Shape letters: S stacked trials.
"""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from models.training.updates.tallies import Tallies


class Place(Protocol):
    """Where a member is: what `progress.Progress` says of the epoch under way."""

    @property
    def epoch(self) -> int: ...  # noqa: D102

    @property
    def chunk(self) -> int: ...  # noqa: D102

    @property
    def learning_rate(self) -> float: ...  # noqa: D102


class Updater(Protocol):
    """The updates of an epoch, and what is kept from one to the next.

    Attributes:
        state: what its rule remembers of each member, by the name in a checkpoint, the S axis first.
        waits: whether what an update finds is looked at at once: then a divergence ends it before the next one.
    """

    @property
    def state(self) -> dict[str, Tensor]: ...  # noqa: D102

    @property
    def waits(self) -> bool: ...  # noqa: D102

    def begin_epoch(self, members: Sequence[Place]) -> None:
        """Take up the epoch of every member behind the chunks of it that are done."""

    def update(self, tallies: Tallies) -> tuple[bool, ...]:
        """One update of every member whose epoch has one left.

        Args:
            tallies: sums to add to, and who has diverged.

        Returns:
            Whether each member had one; where none had, nothing was done.
        """

    def rate(self, s: int, scheduled: float) -> float:
        """The learning rate of a member's next epoch: what the schedule says, unless the rule has one of its own."""

    def stalled(self, s: int) -> bool:
        """Whether a member's updates no longer move it."""

    def tensors(self, within_epoch: bool) -> dict[str, Tensor]:
        """`state`, and what else the updates to come depend on, by the name in a checkpoint, the S axis first.

        Args:
            within_epoch: whether also what the rest of an epoch depends on, and the next epoch does not.
        """

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone, in this order; after the network and the streams did."""
