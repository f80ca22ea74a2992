"""Milliseconds of a sampled step, of every core and output model, early and late: the past must cost nothing.

`python -m benchmarks.sampling`. One thread; a network as it starts, one piece. `early` is the first STEPS steps of a
sample, `late` as many behind LATE others; medians, over ROUNDS samples. Prints a table and writes it with the hardware
to benchmarks/results/sampling.json.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.keeping import keep
from models.core import CORES, scan_kernel
from models.evaluation.sampling import generate
from models.network import Network
from models.outputs import OUTPUTS
from models.trial import Trial

ROUNDS, STEPS, LATE, UNITS = 7, 100, 2000, 200
WIDTHS = {False: (88,), True: (82, 2609)}
"""Notes; characters and words of the folk tunes."""


@dataclass(frozen=True)
class Measured:
    """One network: median milliseconds of a step at the start and far behind it."""

    core: str
    output: str
    width: int
    early_ms: float
    late_ms: float


def measure(core: str, output: str, symbols: bool, width: int) -> Measured:
    shape = {"hidden_size": UNITS, "chunk": 100, "batch": 1, "epochs": 1, "learning_rate": 0.1, "seed": 0}
    trial = Trial(corpus="0" * 64, core=core, output=output, **shape)  # type: ignore[arg-type]
    network = Network(trial, torch.full((width,), 4 / 88 if not symbols else 1 / width))
    nothing = torch.zeros(1, 0, 1, dtype=torch.long) if symbols else torch.zeros(1, 0, 1, width)
    stamps: list[float] = []
    sample = network.sample

    def stamped(states_STBH: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        stamps.append(time.perf_counter())
        return sample(states_STBH, generators)

    network.sample = stamped  # type: ignore[method-assign]
    for _ in range(ROUNDS):
        generate(network, nothing, LATE + STEPS + 1, [torch.Generator().manual_seed(0)])
    taken = 1e3 * np.diff(np.reshape(stamps, (ROUNDS, -1)), axis=1)
    early, late = (float(np.median(part)) for part in (taken[:, :STEPS], taken[:, LATE:]))
    return Measured(core, output, width, round(early, 4), round(late, 4))


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'core':<6}{'output':<16}{'width':>6}{'early, ms':>12}{'late, ms':>12}")
    rows = []
    for core in (each for each in CORES if each.remembers):
        for output in OUTPUTS:
            for width in WIDTHS[output.symbols]:
                row = measure(core.name, output.name, output.symbols, width)
                print(f"{row.core:<6}{row.output:<16}{row.width:>6}{row.early_ms:>12.3f}{row.late_ms:>12.3f}")
                rows.append(asdict(row))
    keep("sampling", {"body": scan_kernel(), "units": UNITS, "rows": rows})


if __name__ == "__main__":
    main()
