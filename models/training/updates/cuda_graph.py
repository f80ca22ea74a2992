"""The update of a stack recorded once, and then repeated as a whole: on a GPU a CUDA graph.

A small network has over a hundred operations an update, which a GPU does faster than Python can start them one by one.
What is recorded is `ChunkUpdater.step`, which waits for nothing and has one shape; what changes from one update to the
next, chunk, carried state, learning rates and tallies, is copied into the memory that the recording reads, and back.
The first updates are made operation by operation, since libraries set themselves up then; after members have left, all
begins anew.

Output models with shapes that depend on data (`Output.steady`) cannot be recorded, and are not.

It has not run on a GPU. A test repeats recordings on a processor by other means, to the same bits. So it is used only
where it is asked for: by the variable COUNTERPOINT_CUDA_GRAPH=1 on a GPU, or inside `recorded_by`.

Shape letters: S stacked trials, B lanes, K carried numbers a lane, P parameters in a row.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields

import torch
from torch import Tensor

from models.data.chunks import Chunk
from models.data.stacked import StackedChunk
from models.network import Network
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies, Tally

VARIABLE = "COUNTERPOINT_CUDA_GRAPH"
WARM_UP = 2
"""Updates that are made operation by operation before one is recorded."""

Recorder = Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], object]]
"""Takes work and the generators that it draws from; does the work once, and returns what does it again."""

_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def recorded_by(recorder: Recorder) -> Iterator[None]:
    """Record the updates of stacks inside the block, in this thread, on whatever device."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


def cuda_graph(work: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], object]:
    """A recorder: the work as a CUDA graph."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        work()
    graph.replay()  # to record is not to do
    return graph.replay


def recorder_for(network: Network) -> Recorder | None:
    """What records the updates of a network, None where they are made operation by operation.

    Raises:
        ValueError: the variable is neither 1 nor 0.
    """
    wanted = os.environ.get(VARIABLE) or "0"
    if wanted not in ("0", "1"):
        raise ValueError(f"{VARIABLE}: {wanted!r} is neither 1 nor 0")
    on_gpu = network.parameters.theta_SP.device.type == "cuda"
    recorder = _recorder.get() or (cuda_graph if wanted == "1" and on_gpu else None)
    return recorder if network.output.steady else None


def chunk_updater_for(network: Network, streams: Streams | None = None, diagnosing: bool = True) -> ChunkUpdater:
    """The updates of a network that is to be trained, recorded where that is asked for."""
    recorder = recorder_for(network)
    if recorder is None:
        return ChunkUpdater(network, streams, diagnosing)
    return CapturedUpdater(network, recorder, streams, diagnosing)


class CapturedUpdater(ChunkUpdater):
    """An updater of a stack whose step is recorded.

    Args:
        network: of a stack, changed in place.
        recorder: what records.
        streams, diagnosing: as for `ChunkUpdater`.
    """

    def __init__(self, network: Network, recorder: Recorder, streams: Streams | None = None, diagnosing: bool = True):
        super().__init__(network, streams, diagnosing)
        self._recorder = recorder
        self.waits = False
        self._set_up()
        self._forget()

    def _forget(self) -> None:
        self._made = 0
        self._repeat: Callable[[], object] | None = None

    def keep(self, rows: list[int]) -> None:
        """Go on with these members alone; what was recorded is of memory that is no longer theirs."""
        super().keep(rows)
        self._forget()

    def step(
        self, chunk: Chunk | StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies
    ) -> Tensor:
        """As `ChunkUpdater.step`: repeated, or for the first time recorded, or operation by operation before that."""
        if not isinstance(chunk, StackedChunk):
            raise TypeError("captured: wants chunks of a stack, whose shapes do not change")
        self._made += 1
        if self._made <= WARM_UP:
            return self._warm_up(chunk, carried, learning_rate_S1, tally)
        if self._repeat is None:
            self._hold(chunk, learning_rate_S1)
        for name, held in self._held.items():
            held.copy_(getattr(chunk, name))
        self._rates_S1.copy_(learning_rate_S1)
        self._tally.copy_(tally)
        self._carried_SBK.zero_() if carried is None else self._carried_SBK.copy_(carried)
        if self._repeat is None:
            self._repeat = self._recorder(self._work, [*self.streams.dropout, *self.streams.chains])
        else:
            self._repeat()
        tally.copy_(self._tally)
        return self._carried_SBK.clone()

    def _warm_up(self, chunk: StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies) -> Tensor:
        if chunk.inputs.device.type != "cuda":
            return super().step(chunk, carried, learning_rate_S1, tally)
        # Libraries set themselves up for each stream, and a recording is made on another one than the usual.
        side, usual = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]
        side.wait_stream(usual)
        with torch.cuda.stream(side):
            onward_SBK = super().step(chunk, carried, learning_rate_S1, tally)
        usual.wait_stream(side)
        return onward_SBK

    def _hold(self, chunk: StackedChunk, learning_rate_S1: Tensor) -> None:
        """Memory that the recording reads and writes."""
        initial_SK = self.network.parameters.by_name["initial_state"].detach()
        names = [field.name for field in fields(chunk) if field.name != "taking"]
        self._held: dict[str, Tensor] = {name: torch.empty_like(getattr(chunk, name)) for name in names}
        self._chunk = StackedChunk(**self._held, taking=chunk.taking)
        self._rates_S1 = torch.empty_like(learning_rate_S1)
        self._tally = Tallies([Tally() for _ in self.network.trials], initial_SK.device)
        self._carried_SBK = torch.zeros_like(initial_SK).unsqueeze(1).repeat(1, chunk.fresh.shape[-1], 1)

    def _work(self) -> None:
        self._carried_SBK.copy_(super().step(self._chunk, self._carried_SBK, self._rates_S1, self._tally))
