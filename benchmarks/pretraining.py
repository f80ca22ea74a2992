"""NADE and RBM with and without pre-training, at equal epochs of the whole and at equal seconds, on jsb-chorales.

Run it as `python -m benchmarks.pretraining`, some six minutes of one thread. The rolls are looked for as in
`benchmarks/experiments/floors.py`. It prints nats a frame on validation, the best epoch so far: means over three seeds,
and their range. It writes `benchmarks/results/pretraining.json`.

The run without pre-training goes on for as many epochs more as both phases have; as its schedule knows the past alone,
it passes through what a shorter one ends with. At equal seconds is its last epoch that ended within the seconds of the
run with pre-training, those of the phases included. What the likelihood of the RBM is here is the quick estimate by
which its epochs are chosen.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from dataclasses import dataclass, replace

import torch

from benchmarks.experiments.floors import CORPUS, ROLLS, load
from benchmarks.keeping import keep
from models.data.chunks import Pieces
from models.outputs import NadeSettings
from models.outputs.rbm.rbm import RBMSettings
from models.techniques import Clipping, Nesterov, Pretraining
from models.training.run import Run
from models.trial import Trial

SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Case:
    """A model, and how many epochs each phase has."""

    trial: Trial
    phase: int


def _trial(output: str, settings: NadeSettings | RBMSettings, rate: float, epochs: int) -> Trial:
    return Trial(
        corpus=CORPUS,
        output=output,
        output_settings=settings,
        techniques=(Clipping(1.0), Nesterov(0.9)),
        hidden_size=100,
        learning_rate=rate,
        cost="mean",
        chunk=100,
        batch=8,
        epochs=epochs,
        decay=0.85,
        patience=100,
        seed=1,
    )


CASES = (
    Case(_trial("nade", NadeSettings(100), 0.1, 20), 5),
    Case(_trial("rbm", RBMSettings(100, 5), 0.03, 6), 3),
)


def measure(trial: Trial, splits: tuple[Pieces, Pieces]) -> list[tuple[float, float]]:
    """After each epoch of the whole, from its start on: seconds so far, and the best score so far."""
    width = splits[0].data.shape[1]
    began = time.process_time()
    run = Run([trial], *splits, width, diagnosing=False)
    ends: list[float] = []
    while run.advance():
        now = run.progress()[0]
        if now.phase == len(_phases(trial)) and len(now.curve) > len(ends):
            ends.append(time.process_time() - began)
    ends.append(time.process_time() - began)
    training = run.ended[trial.key]
    best = [max(row.valid for row in training.curve[: i + 1]) for i in range(len(training.curve))]
    return list(zip(ends, best, strict=True))


def _phases(trial: Trial) -> list[int]:
    return [epochs for each in trial.techniques for epochs in each.pretraining().values()]


def compare(case: Case, splits: tuple[Pieces, Pieces]) -> list[dict[str, object]]:
    """A row for each way to pre-train: scores of every seed, with it and without."""
    E, n = case.trial.epochs, case.phase
    rows: dict[str, dict[str, object]] = {}
    for seed in SEEDS:
        plain = measure(replace(case.trial, seed=seed, epochs=E + 2 * n), splits)
        for name, numbers in {"frame": (n, 0), "recurrent": (0, n), "both": (n, n)}.items():
            techniques = (*case.trial.techniques, Pretraining(*numbers))
            curve = measure(replace(case.trial, seed=seed, techniques=techniques), splits)
            seconds = curve[-1][0]
            within = [score for end, score in plain if end <= seconds]
            row = rows.setdefault(name, {"model": case.trial.output, "phases": name, "epochs": E, "each": n})
            found = {
                "start": curve[0][1],
                "plain start": plain[0][1],
                "with": curve[-1][1],
                "plain, equal epochs": plain[E][1],
                "plain, equal seconds": within[-1],
                "plain epochs in these seconds": len(within) - 1,
                "seconds": seconds,
                "plain seconds": plain[E][0],
            }
            for what, value in found.items():
                row.setdefault(what, []).append(round(value, 3))  # type: ignore[attr-defined]
    return list(rows.values())


def main() -> None:
    """Measure, print and write."""
    torch.set_num_threads(1)
    if not ROLLS.is_file():
        print(f"nothing measured: {ROLLS} is not there; set COUNTERPOINT_DATA to the folder of the data")
        return
    corpus = load()
    splits = Pieces.from_arrays(corpus.splits["train"]), Pieces.from_arrays(corpus.splits["valid"])
    rows = [row for case in CASES for row in compare(case, splits)]
    for row in rows:
        told = []
        for what, values in row.items():
            if isinstance(values, list):
                told.append(f"{what} {sum(values) / len(values):.3f} [{min(values):.3f}, {max(values):.3f}]")
        print(
            f"{row['model']}, {row['phases']}, {row['each']} epochs a phase, {row['epochs']} of the whole:",
            *told,
            sep="\n  ",
        )
    keep("pretraining", {"seeds": SEEDS, "rows": rows})


if __name__ == "__main__":
    main()
