"""What the diagnostics cost: time of whole trials with and without them, on music and text of the default sizes.

Run it on a quiet machine: `python -m benchmarks.diagnostics [TURNS]`. Prints a table and writes it with the hardware to
benchmarks/results/diagnostics.json. The two take turns, and the cost is a median over turns of ratios within one turn.
Seconds are the processor's, which the work of others on the machine moves less: a training waits for nothing.
Data are random, in the number and the length of pieces of the corpora of the default campaign; hidden units, lanes,
chunks and epochs are those of its search. Of the milliseconds of a diagnosis there are two a trial.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from typing import Any

import numpy as np
import torch

from benchmarks.keeping import keep
from models.data.chunks import Pieces
from models.evaluation.diagnostics import diagnose, probe_of
from models.network import Network
from models.training.run import Run
from models.trial import Trial

GATE, AIM = 1.05, 1.02
MUSIC = {"output": "bernoulli", "chunk": 100, "batch": 16, "epochs": 8}
CHARACTERS = {"output": "softmax", "chunk": 150, "batch": 32, "epochs": 2}
WORDS = {"output": "softmax", "chunk": 40, "batch": 16, "epochs": 1, "activation": "sigmoid"}
# Name, settings, hidden units, width; pieces and steps a piece of train and of validation.
CASES: tuple[tuple[str, dict[str, Any], int, int, tuple[int, int, int]], ...] = (
    ("music", MUSIC, 100, 88, (218, 75, 55)),
    ("music", MUSIC, 200, 88, (218, 75, 55)),
    ("characters", CHARACTERS, 100, 82, (1138, 434, 272)),
    ("words", WORDS, 100, 2609, (1138, 434, 63)),
)


def data(width: int, count: int, length: int, seed: int) -> Pieces:
    """Random notes, four of them in a frame, or random symbols."""
    random = np.random.default_rng(seed)
    if width == 88:
        return Pieces.from_arrays([(random.random((length, 88)) < 0.045).astype(np.uint8) for _ in range(count)])
    return Pieces.from_arrays([random.integers(0, width, length).astype(np.int32) for _ in range(count)])


def seconds(trial: Trial, train: Pieces, valid: Pieces, width: int, diagnosing: bool) -> float:
    """Seconds of a whole trial."""
    began = time.process_time()
    run = Run([trial], train, valid, width, diagnosing=diagnosing)
    while run.advance():
        pass
    return time.process_time() - began


def measure(
    name: str, settings: dict[str, Any], units: int, width: int, sizes: tuple[int, int, int], turns: int
) -> dict[str, Any]:
    """One size: medians of the seconds, of their ratio, and of the milliseconds of one diagnosis."""
    count, fewer, length = sizes
    train, valid = data(width, count, length, 0), data(width, fewer, length, 1)
    # A rate at which every epoch is made, none being the last for want of progress.
    trial = Trial(corpus="0" * 64, hidden_size=units, learning_rate=1e-3, cost="mean", seed=0, patience=99, **settings)
    network = Network.for_data(trial, train, width)
    probe, theta_SP = probe_of(valid), network.parameters.theta_SP
    seconds(trial, train, valid, width, True)
    times: dict[bool, list[float]] = {True: [], False: []}
    alone = []
    for turn in range(turns):
        for diagnosing in (turn % 2 == 0, turn % 2 == 1):
            times[diagnosing].append(seconds(trial, train, valid, width, diagnosing))
        began = time.process_time()
        diagnose(network, theta_SP, network.retention_SH, probe, "start", [0])
        alone.append(1e3 * (time.process_time() - began))
    ratios = [with_ / without for with_, without in zip(times[True], times[False], strict=True)]
    return {
        "what": name,
        "H": units,
        "seconds with": round(statistics.median(times[True]), 3),
        "seconds without": round(statistics.median(times[False]), 3),
        "milliseconds of a diagnosis": round(statistics.median(alone), 2),
        "with / without": round(statistics.median(ratios), 4),
    }


def main() -> None:
    torch.set_num_threads(1)
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    rows, gates = [], []
    for case in CASES:
        rows.append(row := measure(*case, turns))
        print("   ".join(f"{name} {value}" for name, value in row.items()))
        ratio = row["with / without"]
        name = f"diagnostics: a trial with them / without, {row['what']}"
        gates.append({"name": name, "H": row["H"], "gate": GATE, "aim": AIM, "measured": ratio, "met": ratio <= GATE})
    document = {
        "turns": turns,
        "rows": rows,
        "gates": gates,
    }
    keep("diagnostics", document)


if __name__ == "__main__":
    main()
