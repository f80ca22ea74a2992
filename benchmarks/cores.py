"""A chunk through every core, forward and backward, against the layer of torch.nn with the same equations.

Run it on a quiet machine: `python -m benchmarks.cores`. One thread; the two take turns, and the ratio is that of their
medians, over 1 where ours is faster. Notes go into both as they are. Symbols are a gather for ours and one-hot vectors
for torch.nn, which takes nothing else. Prints a table and writes it with the hardware to benchmarks/results/cores.json.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from benchmarks.keeping import keep
from models.core import CORES, Core
from models.parameters import Parameters

ROUNDS = 25
LAYERS: dict[str, Callable[[int, int], torch.nn.RNNBase]] = {
    "rnn": torch.nn.RNN,
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}
SIZES = ((100, 16, 100, 88), (100, 16, 200, 88), (100, 16, 400, 88), (40, 16, 200, 2609))
"""Steps, lanes, units, and width of the data: notes up to 88, symbols above."""


@dataclass(frozen=True)
class Measured:
    """One core at one size: median milliseconds of both, and how many times as fast ours is."""

    core: str
    steps: int
    lanes: int
    units: int
    width: int
    ours_ms: float
    torch_ms: float
    ratio: float


def ours(kind: type[Core], inputs: Tensor, lanes: int, units: int, width: int) -> Callable[[], None]:
    core = kind(width, units, "tanh")
    parameters = Parameters(1, core.shapes())
    core.initialise(parameters.member(0), torch.Generator().manual_seed(0), 4.0)
    values = inputs.unsqueeze(0)

    def run() -> None:
        start_SBK = parameters.by_name["initial_state"].unsqueeze(1).expand(-1, lanes, -1).contiguous()
        parameters.differentiate(core.states(parameters.by_name, values, start_SBK, None)[0].sum())

    return run


def theirs(kind: type[Core], inputs: Tensor, lanes: int, units: int, width: int) -> Callable[[], None]:
    layer = LAYERS[kind.name](width, units)
    starts = [torch.zeros(1, lanes, units, requires_grad=True) for _ in range(2)]

    def run() -> None:
        layer.zero_grad()
        values = inputs if inputs.is_floating_point() else one_hot(inputs, width).float()
        layer(values, tuple(starts) if kind.name == "lstm" else starts[0])[0].sum().backward()

    return run


def measure(kind: type[Core], steps: int, lanes: int, units: int, width: int) -> Measured:
    generator = torch.Generator().manual_seed(0)
    if width == 88:
        inputs = (torch.rand(steps, lanes, width, generator=generator) < 0.05).float()
    else:
        inputs = torch.randint(0, width, (steps, lanes), generator=generator)
    both = [make(kind, inputs, lanes, units, width) for make in (ours, theirs)]
    seconds: list[list[float]] = [[], []]
    for turn in range(ROUNDS + 1):
        for each, run in zip(seconds, both, strict=True):
            began = time.perf_counter()
            run()
            if turn:  # the first one warms up
                each.append(time.perf_counter() - began)
    mine, other = (1000 * statistics.median(each) for each in seconds)
    return Measured(kind.name, steps, lanes, units, width, round(mine, 2), round(other, 2), round(other / mine, 2))


def main() -> None:
    torch.set_num_threads(1)
    rows = [measure(kind, *size) for size in SIZES for kind in CORES if kind.remembers]
    print(f"{'core':6}{'T, B, H, D':>20}{'ours, ms':>10}{'torch.nn, ms':>14}{'ratio':>8}")
    for row in rows:
        size = f"{row.steps}, {row.lanes}, {row.units}, {row.width}"
        print(f"{row.core:6}{size:>20}{row.ours_ms:10.2f}{row.torch_ms:14.2f}{row.ratio:8.2f}")
    document = {"rows": [asdict(row) for row in rows]}
    keep("cores", document)


if __name__ == "__main__":
    main()
