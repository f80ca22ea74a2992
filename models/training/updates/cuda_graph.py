"""Record the update of a stack once, and then replay it as a whole: on a GPU, a CUDA graph.

An update of a small network has over a hundred operations, which a GPU executes faster than Python can launch them. The
recorded function is `ChunkUpdater.step`, which never waits for the device and has constant shapes. Its varying
arguments (chunk, carried state, learning rates, tallies) are copied into the memory that the recording reads, and
results are copied back. The first updates run without a recording, since libraries initialise themselves then. After
members have left, the recording is made again.

Output models whose shapes depend on data (`Output.static_shapes` is False) cannot be recorded, and run without.

This has not run on a GPU. A test replays recordings on a CPU by other means, with the same bits. It is therefore used
only on request: with COUNTERPOINT_CUDA_GRAPH=1 on a GPU, or inside `recorded_by`.

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
from models.training.updates.ranks import Ranks
from models.training.updates.streams import Streams
from models.training.updates.tallies import Tallies, Tally

VARIABLE = "COUNTERPOINT_CUDA_GRAPH"
WARM_UP = 2
"""Number of updates without a recording, before the first one is recorded."""

Recorder = Callable[[Callable[[], None], Sequence[torch.Generator]], Callable[[], object]]
"""A function of some work and its generators, which does the work once and returns a function that repeats it."""

_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def recorded_by(recorder: Recorder) -> Iterator[None]:
    """Record the updates of stacks inside the block, in this thread, on any device."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


def cuda_graph(work: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], object]:
    """A recorder that makes the work a CUDA graph."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        work()
    graph.replay()  # recording does not execute the work
    return graph.replay


def recorder_for(network: Network) -> Recorder | None:
    """The recorder for the updates of a network; None if they run without a recording.

    Raises:
        ValueError: the variable is neither 1 nor 0.
    """
    wanted = os.environ.get(VARIABLE) or "0"
    if wanted not in ("0", "1"):
        raise ValueError(f"{VARIABLE}: {wanted!r} is neither 1 nor 0")
    on_gpu = network.parameters.theta_SP.device.type == "cuda"
    recorder = _recorder.get() or (cuda_graph if wanted == "1" and on_gpu else None)
    return recorder if network.output.static_shapes else None


def chunk_updater_for(
    network: Network, streams: Streams | None = None, diagnosing: bool = True, ranks: Ranks | None = None
) -> ChunkUpdater:
    """The updater of a network, with recording if it is requested and possible; ranks are not recorded."""
    recorder = recorder_for(network)
    if recorder is None or ranks is not None:
        return ChunkUpdater(network, streams, diagnosing, ranks)
    return CapturedUpdater(network, recorder, streams, diagnosing)


class CapturedUpdater(ChunkUpdater):
    """An updater of a stack whose step is recorded.

    Args:
        network: of a stack; changed in place.
        recorder: makes the recording.
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
        """Keep only these members; the recording is dropped, since it uses the old memory."""
        super().keep(rows)
        self._forget()

    def step(
        self, chunk: Chunk | StackedChunk, carried: Tensor | None, learning_rate_S1: Tensor, tally: Tallies
    ) -> Tensor:
        """As `ChunkUpdater.step`: first without a recording, then recorded once, then replayed."""
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
        # Libraries initialise themselves for each CUDA stream, and a recording uses another stream than the default.
        side, usual = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]
        side.wait_stream(usual)
        with torch.cuda.stream(side):
            onward_SBK = super().step(chunk, carried, learning_rate_S1, tally)
        usual.wait_stream(side)
        return onward_SBK

    def _hold(self, chunk: StackedChunk, learning_rate_S1: Tensor) -> None:
        """Allocate the memory that the recording reads and writes."""
        initial_SK = self.network.parameters.by_name["initial_state"].detach()
        names = [field.name for field in fields(chunk) if field.name != "taking"]
        self._held: dict[str, Tensor] = {name: torch.empty_like(getattr(chunk, name)) for name in names}
        self._chunk = StackedChunk(**self._held, taking=chunk.taking)
        self._rates_S1 = torch.empty_like(learning_rate_S1)
        self._tally = Tallies([Tally() for _ in self.network.trials], initial_SK.device)
        self._carried_SBK = torch.zeros_like(initial_SK).unsqueeze(1).repeat(1, chunk.fresh.shape[-1], 1)

    def _work(self) -> None:
        self._carried_SBK.copy_(super().step(self._chunk, self._carried_SBK, self._rates_S1, self._tally))
