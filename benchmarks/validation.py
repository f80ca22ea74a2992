"""A frame of a validation pass beside a frame of training's forward pass, on one thread.

Run it on a quiet machine: `python -m benchmarks.validation [TURNS]`. Prints a table and writes it with the hardware to
benchmarks/results/validation.json. Training goes forward through chunks of 16 lanes and leaves what the way back needs;
validation goes through whole pieces, the state carried, and sums their log-likelihoods. Both take turns; ratios are
medians over turns of ratios within one, in seconds of the processor.
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.keeping import keep
from benchmarks.measuring import as_a_worker
from benchmarks.training_step import D, T, music
from models.data.chunks import Pieces, chunks
from models.evaluation.metrics import score
from models.network import Network
from models.training.updates.chunk_updater import ChunkUpdater
from models.trial import Trial

PIECES, LANES = 64, 16
UNITS = (100, 200)
GATE, AIM = 0.6, 0.5


def contenders(H: int) -> dict[str, Callable[[], int]]:
    """Each goes over some frames and gives their number."""
    data = music(PIECES)
    pieces = Pieces.from_arrays([data[:, b].numpy() for b in range(PIECES)])
    trial = Trial(
        corpus="0" * 64,
        output="bernoulli",
        techniques=(),
        hidden_size=H,
        learning_rate=0.1,
        chunk=T,
        batch=LANES,
        epochs=1,
        seed=0,
    )
    network = Network(trial, torch.full((D,), 4 / D))
    chunk, gradient = next(chunks(pieces, range(LANES), LANES, T)), ChunkUpdater(network).gradient

    def training() -> int:
        gradient.forward(chunk, None)
        return T * LANES

    def validation() -> int:
        score(network, pieces)
        return len(pieces.data)

    return {"training": training, "validation": validation}


def measure(H: int, turns: int) -> dict[str, float]:
    """Medians: microseconds a frame, and the ratio."""
    runs = contenders(H)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):
        for name, run in runs.items():
            began, frames = time.process_time(), 0
            for _ in range(40 if name == "training" else 10):
                frames += run()
            if turn:  # the first one warms up
                times[name].append(1e6 * (time.process_time() - began) / frames)
    ratios = [its / of_training for its, of_training in zip(times["validation"], times["training"], strict=True)]
    return {name: round(statistics.median(values), 3) for name, values in (times | {"ratio": ratios}).items()}


def main() -> None:
    as_a_worker()
    torch.set_num_threads(1)
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    rows = {H: measure(H, turns) for H in UNITS}
    for H, row in rows.items():
        print(f"H {H}: " + ", ".join(f"{name} {value}" for name, value in row.items()))
    gates = [
        {"name": "validation / training's forward pass, a frame", "H": H, "gate": GATE, "aim": AIM}
        | {"measured": row["ratio"], "met": row["ratio"] <= GATE}
        for H, row in rows.items()
    ]
    keep("validation", {"turns": turns, "rows": {str(H): row for H, row in rows.items()}, "gates": gates})


if __name__ == "__main__":
    main()
