"""Sixty-four trials of one shape, against one alone: one after the other as a processor's worker has them, and stacked.

Run it on a quiet machine: `python -m benchmarks.stacks [TURNS]`. Prints a table and writes it with the hardware to
benchmarks/results/stacks.json. Each trial makes a few updates on random music, 16 pieces side by side; contenders take
turns, and ratios are medians over turns of ratios within one turn. Where torch finds a GPU, the stack is on it too.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.keeping import keep
from models.data.chunks import Pieces
from models.techniques import Clipping, Nesterov
from models.training.run import Run
from models.trial import Trial

MEMBERS, UPDATES = 64, 4
SIZES = (100, 200)


def pieces() -> Pieces:
    """As many pieces of 100 steps as the updates take, about four notes a step."""
    random = np.random.default_rng(0)
    return Pieces.from_arrays([(random.random((100, 88)) < 0.045).astype(np.uint8) for _ in range(16 * UPDATES)])


def trial(units: int, seed: int) -> Trial:
    """One of the sweep: its learning rate, momentum, threshold and seed are its own."""
    share = seed / MEMBERS
    return Trial(
        corpus="0" * 64,
        output="bernoulli",
        techniques=(Clipping(15.0 + 45 * share), Nesterov(0.9 * share)),
        hidden_size=units,
        learning_rate=1e-4 * 10**share,
        chunk=100,
        batch=16,
        epochs=1,
        seed=seed,
    )


def updates(units: int, data: Pieces, members: int, device: str = "cpu") -> float:
    """Seconds of the updates of a stack of so many, without its scoring."""
    run = Run([trial(units, seed) for seed in range(members)], data, data, 88, device=device)
    run.advance()
    run.progress()  # waits for the device
    began = time.perf_counter()
    for _ in range(UPDATES):
        run.advance()
    run.progress()
    return time.perf_counter() - began


def contenders(units: int, data: Pieces) -> dict[str, Callable[[], float]]:
    found = {
        "alone": lambda: updates(units, data, 1),
        "one after the other": lambda: sum(updates(units, data, 1) for _ in range(MEMBERS)),
        "stacked": lambda: updates(units, data, MEMBERS),
    }
    if torch.cuda.is_available():
        found |= {
            "alone on the GPU": lambda: updates(units, data, 1, "cuda"),
            "stacked on the GPU": lambda: updates(units, data, MEMBERS, "cuda"),
        }
    return found


def measure(units: int, turns: int) -> dict[str, float]:
    """Medians of the ratios, and the milliseconds of an update alone."""
    data = pieces()
    runs = contenders(units, data)
    ratios: dict[str, list[float]] = {name: [] for name in ("one after the other", "stacked", "GPU")}
    alone = []
    for _ in range(turns):
        seconds = {name: run() for name, run in runs.items()}
        alone.append(1e3 * seconds["alone"] / UPDATES)
        for name in ("one after the other", "stacked"):
            ratios[name].append(seconds[name] / MEMBERS / seconds["alone"])
        if "stacked on the GPU" in seconds:
            ratios["GPU"].append(seconds["stacked on the GPU"] / seconds["alone on the GPU"])
    medians = {name: round(statistics.median(values), 3) for name, values in ratios.items() if values}
    return {"milliseconds of an update alone": round(statistics.median(alone), 2), **medians}


def gate(name: str, units: int, gate: float, aim: float, measured: float | None) -> dict[str, object]:
    met = None if measured is None else measured <= gate
    return {"name": name, "H": units, "gate": gate, "aim": aim, "measured": measured, "met": met}


def main() -> None:
    torch.set_num_threads(1)
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rows, gates = {}, []
    for units in SIZES:
        rows[units] = row = measure(units, turns)
        print(f"H {units}   " + "   ".join(f"{name} {value}" for name, value in row.items()))
        name = f"{MEMBERS} trials, cost of each / cost alone"
        gates.append(gate(name, units, 1.3, 1.05, row["one after the other"]))
        gates.append(gate(f"GPU: {MEMBERS} stacked music trials, time / one alone", units, 2.0, 1.2, row.get("GPU")))
    document = {
        "turns": turns,
        "rows": rows,
        "gates": gates,
    }
    keep("stacks", document)


if __name__ == "__main__":
    main()
