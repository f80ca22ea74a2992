"""The processes that train one trial together, its ranks, and the one thing that they do together: a sum.

Each rank computes the gradient of its share of the lanes, and the sum over the ranks is the gradient of all. The sum
has the same bits on every rank, since each number is added up once and sent to all; so the ranks stay equal without
sending parameters. It depends on the number of ranks by rounding alone.

The ranks are processes of one machine. They find each other by a `Store` of torch, and send by gloo over the loopback,
or between GPUs by NCCL. NCCL was never tried: no GPU was at hand.
"""

from datetime import timedelta

import torch
from torch import Tensor, distributed


class RankLostError(RuntimeError):
    """Another rank ended, or did not answer in time."""


class Ranks:
    """One rank's view of all of them.

    Args:
        group: of torch, which all ranks have joined.
        number: of this rank, from 0.
        count: of ranks.
    """

    def __init__(self, group: distributed.ProcessGroup, number: int, count: int):
        self._group, self.number, self.count = group, number, count

    @classmethod
    def join(
        cls, store: distributed.Store, number: int, count: int, device: torch.device | str, seconds: float
    ) -> "Ranks":
        """Wait until all ranks are there.

        Args:
            store: by which the ranks find each other.
            number: of this rank, from 0; each has another one.
            count: of ranks.
            device: of the tensors that are summed.
            seconds: to wait at most, here and at every sum.

        Raises:
            RankLostError: not all of them came.
        """
        wait = timedelta(seconds=seconds)
        try:
            if torch.device(device).type == "cuda":
                nccl = distributed.ProcessGroupNCCL.Options()
                nccl._timeout = wait
                return cls(distributed.ProcessGroupNCCL(store, number, count, nccl), number, count)
            gloo = distributed.ProcessGroupGloo._Options()
            gloo._timeout = wait
            # by name, as by itself it would listen on the network
            gloo._devices = [distributed.ProcessGroupGloo.create_device(hostname="127.0.0.1")]
            return cls(distributed.ProcessGroupGloo(store, number, count, gloo), number, count)
        except RuntimeError as error:
            raise RankLostError(f"not all of the {count} processes came: {_first_line(error)}") from error

    def sum_(self, values: Tensor) -> None:
        """Replace the values by their sum over all ranks, which must all call this in the same order.

        Raises:
            RankLostError: one of them is gone, or did not call this in time.
        """
        try:
            self._group.allreduce([values]).wait()
        except RuntimeError as error:
            raise RankLostError(f"another process of the trial is gone: {_first_line(error)}") from error

    def lanes(self, lanes: int) -> slice:
        """The share of this rank; all shares are as equal as can be, and lie in the order of the ranks."""
        return slice(self.number * lanes // self.count, (self.number + 1) * lanes // self.count)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
