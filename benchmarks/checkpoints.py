"""What a checkpoint costs: seconds to take it, to commit it to a folder, and to read it, for networks of several sizes.

Run it on a quiet machine: `python -m benchmarks.checkpoints`. Prints a table and writes it with the hardware to
benchmarks/results/checkpoints.json. The share is of `CHECKPOINT_SECONDS`, since one is written in so long.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch

from benchmarks.keeping import keep
from infra.store import Store
from models.data.chunks import Pieces
from models.training.run import Run
from models.trial import Trial
from tasks.trials.checkpoints import Checkpoints
from tasks.trials.train import CHECKPOINT_SECONDS

REPEATS = 9
SIZES = ((88, 100), (88, 400), (2609, 200), (10_000, 200))
"""Width of the data and hidden units: notes in the sizes of the searches, words of folk tunes and of a large text."""


@dataclass(frozen=True)
class Measured:
    """One size: MiB of a checkpoint, median seconds of each part, share of the time between two in percent."""

    width: int
    hidden_size: int
    mib: float
    take_seconds: float
    save_seconds: float
    load_seconds: float
    share_percent: float


def median(action: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def measure(folder: str, width: int, hidden_size: int) -> Measured:
    random = np.random.default_rng(0)
    if width == 88:
        output, arrays = "bernoulli", [(random.random((100, width)) < 0.05).astype(np.uint8) for _ in range(8)]
    else:
        output, arrays = "softmax", [random.integers(0, width, 100).astype(np.int32) for _ in range(8)]
    pieces = Pieces.from_arrays(arrays)
    trial = Trial(
        corpus="benchmark",
        output=output,
        hidden_size=hidden_size,
        learning_rate=0.01,
        chunk=50,
        batch=8,
        epochs=9,
        seed=0,
    )
    run = Run([trial], pieces, pieces, width)
    while run.progress()[0].updates < 3:
        run.advance()
    checkpoint, checkpoints = run.checkpoints()[0], Checkpoints(Store(folder), trial)
    size = sum(tensor.nbytes for tensor in checkpoint.tensors.values())
    take, save = median(run.checkpoints), median(lambda: checkpoints.save(checkpoint, 0.0))
    load = median(checkpoints.load)
    share = 100 * (take + save) / CHECKPOINT_SECONDS
    return Measured(
        width, hidden_size, round(size / 2**20, 2), round(take, 5), round(save, 5), round(load, 5), round(share, 3)
    )


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(folder, *size) for size in SIZES]
    print(f"{'width':>7}{'units':>7}{'MiB':>8}{'take, ms':>10}{'save, ms':>10}{'load, ms':>10}{'share, %':>10}")
    for row in rows:
        times = "".join(f"{1000 * value:10.2f}" for value in (row.take_seconds, row.save_seconds, row.load_seconds))
        print(f"{row.width:7}{row.hidden_size:7}{row.mib:8.2f}{times}{row.share_percent:10.3f}")
    document = {"rows": [asdict(row) for row in rows]}
    keep("checkpoints", document)


if __name__ == "__main__":
    main()
