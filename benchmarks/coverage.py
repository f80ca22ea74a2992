"""How often the intervals of a report hold the truth, where the truth is known.

Run it: `python -m benchmarks.coverage`, a quarter of an hour of one core. Campaigns are drawn from a model, resampled
by the report's own `Bootstrap`, and counted: how often its 95 % intervals hold the truth, and in how many campaigns
without any true difference a word would be said. Prints tables and writes them to benchmarks/results/coverage.json.

The model, in nats a step: variant v in unit s (a study with one seed, or a seed of one study) scores on piece p

    -9 + b_p + d_vp + luck_vs + seed_vs + r_vsp

with b_p of deviation .6, the same for all variants, d_vp .09 / sqrt 2, r .18 / sqrt 2: a difference of two variants
varies over pieces by .09 and has a residual of .18, as in the first default campaign on the Bach chorales. The
deviation of seed and of luck is that of a cell, again of a difference of two variants. The luck of a search is shared
by the eight pairs of an effect, as draws are; a piece has 30 to 90 steps.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.keeping import keep
from tasks.report.numbers.intervals import Estimate, simultaneous
from tasks.report.numbers.metrics import METRICS, FloatArray
from tasks.report.numbers.scored import ScoredPieces
from tasks.report.numbers.statistics import Bootstrap
from tasks.report.numbers.variant_titles import technique_pairs
from tasks.report.numbers.verdicts import replicated_verdict

METRIC = METRICS["music"][0]
UNITS, PIECES, PAIRS = (2, 3, 5, 10), (72, 10), 8
RESAMPLES, FAMILY_RESAMPLES = 400, 2000
MEAN = -9.0


@dataclass(frozen=True)
class Cell:
    """What varies: the deviation of a difference of two variants by its seeds, and by the luck of its search."""

    name: str
    seed: float
    luck: float = 0.0
    heavy: bool = False

    @property
    def studies(self) -> bool:
        return self.luck > 0


CELLS = (
    Cell("one search, seeds quiet, .02", 0.02),
    Cell("one search, seeds typical, .05", 0.05),
    Cell("one search, seeds much, .15", 0.15),
    Cell("one search, seeds much, t3", 0.15, heavy=True),
    Cell("searched anew, luck .03", 0.05, 0.03),
    Cell("searched anew, luck .06", 0.05, 0.06),
    Cell("searched anew, luck .12", 0.05, 0.12),
    Cell("searched anew, luck .25", 0.05, 0.25),
    Cell("searched anew, luck .12, t3", 0.05, 0.12, heavy=True),
)
NULL = {
    "the default campaign, 8 variants": ("", "C", "L", "R", "M", "CL", "CLR", "CLRM"),
    "all 16 subsets": tuple("".join(x for i, x in enumerate("CLRM") if n >> i & 1) for n in range(16)),
}


SAID = ("effects", "differences", "either", "behind best", "first behind")
"""Whether a word is said of an effect, of a difference, of either; whether anything is told apart from the best, and
whether the first variant is: each is one of the truly best ones."""


def spread(rng: np.random.Generator, deviation: float, size: tuple[int, ...], heavy: bool) -> FloatArray:
    """Independent numbers of that deviation, normal or of Student's t with three degrees of freedom."""
    drawn = rng.standard_t(3, size) / np.sqrt(3) if heavy else rng.standard_normal(size)
    return np.asarray(deviation / np.sqrt(2) * drawn)


def scored(
    rng: np.random.Generator, luck_VS: FloatArray, names: list[str], pieces: int, *, studies: bool
) -> ScoredPieces:
    """The sums of a corpus whose variants have these means in each unit, beside `MEAN`."""
    variants, units = luck_VS.shape
    steps_Q = rng.integers(30, 91, pieces).astype(float)
    of_pieces_VQ = rng.normal(0, 0.6, pieces) + spread(rng, 0.09, (variants, pieces), heavy=False)
    residual_VSQ = spread(rng, 0.18, (variants, units, pieces), heavy=False)
    x_VSQ = MEAN + of_pieces_VQ[:, None] + luck_VS[..., None] + residual_VSQ
    sums_KQ = (steps_Q * x_VSQ).reshape(-1, pieces)
    trials = tuple((name, s, 0) if studies else (name, 0, s) for name in names for s in range(units))
    return ScoredPieces(steps_Q, trials, {METRIC.column: sums_KQ}, np.zeros_like(sums_KQ))


def cell_campaign(rng: np.random.Generator, cell: Cell, units: int, pieces: int) -> ScoredPieces:
    """Eight pairs of variants without and with a technique; the draws of either side are shared by all eight."""
    seed_VS = spread(rng, cell.seed, (2 * PAIRS, units), cell.heavy and not cell.studies)
    luck_2S = spread(rng, cell.luck, (2, units), cell.heavy)
    means_VS = seed_VS + np.repeat(luck_2S, PAIRS, axis=0)
    names = [f"{side}{pair}" for side in ("without", "with") for pair in range(PAIRS)]
    return scored(rng, means_VS, names, pieces, studies=cell.studies)


def estimates(bootstrap: Bootstrap) -> Iterator[tuple[str, float, Estimate]]:
    """Of a campaign a score, a difference and an effect, each with its truth."""
    yield "score", MEAN, bootstrap.value(METRIC, "with0")
    yield "difference", 0.0, bootstrap.difference(METRIC, "with0", "without0")
    yield "effect", 0.0, bootstrap.effect(METRIC, [(f"without{pair}", f"with{pair}") for pair in range(PAIRS)])


def coverage(cell: Cell, units: int, pieces: int, replicates: int) -> dict[str, dict[str, float]]:
    """Percent of the intervals that hold the truth, and their median half-width, by quantity."""
    held: Counter[str] = Counter()
    halves: dict[str, list[float]] = {}
    rng = np.random.default_rng([units, pieces, CELLS.index(cell)])
    for replicate in range(replicates):
        bootstrap = Bootstrap(cell_campaign(rng, cell, units, pieces), "simulated", replicate, RESAMPLES)
        for quantity, truth, estimate in estimates(bootstrap):
            held[quantity] += estimate.low <= truth <= estimate.high
            halves.setdefault(quantity, []).append((estimate.high - estimate.low) / 2)
    return {
        quantity: {
            "covered_percent": round(100 * held[quantity] / replicates, 1),
            "half_width": round(float(np.median(widths)), 4),
        }
        for quantity, widths in halves.items()
    }


def apart(family: Sequence[Estimate]) -> list[bool]:
    """Of each member whether it is called better or worse."""
    ends = simultaneous(family, [True] * len(family))
    return [replicated_verdict(2, low, high) in ("better", "worse") for low, high in ends]


def null_campaigns(letters: tuple[str, ...], studies: int, heavy: bool, replicates: int) -> dict[str, float]:
    """Percent of the campaigns without a true difference in which a word would be said."""
    names = [f"rnn/bernoulli/SGD+{subset}".rstrip("+") for subset in letters]
    said: Counter[str] = Counter()
    rng = np.random.default_rng([len(letters), studies, heavy])
    for replicate in range(replicates):
        of_technique = {letter: spread(rng, 0.09, (studies,), heavy) for letter in "CLRM"}
        own_VS = spread(rng, 0.08, (len(names), studies), heavy)
        luck_VS = own_VS + np.array([sum((of_technique[x] for x in subset), np.zeros(studies)) for subset in letters])
        bootstrap = Bootstrap(scored(rng, luck_VS, names, 72, studies=True), "null", replicate, FAMILY_RESAMPLES)
        best = max(names, key=lambda name: bootstrap.value(METRIC, name).value)
        others = [name for name in names if name != best]
        effects = apart([bootstrap.effect(METRIC, technique_pairs(names, letter)) for letter in "CLRM"])
        differences = apart([bootstrap.difference(METRIC, name, names[0]) for name in names[1:]])
        behind = apart([bootstrap.difference(METRIC, best, name) for name in others])
        first = dict(zip(others, behind, strict=True)).get(names[0], False)
        told = (any(effects), any(differences), any(effects + differences), any(behind), first)
        said.update(name for name, is_said in zip(SAID, told, strict=True) if is_said)
    return {name: round(100 * said[name] / replicates, 1) for name in SAID}


def print_table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[float]]) -> None:
    """A row a name, a column a number."""
    print(f"\n{title}\n{'':44}{''.join(f'{column:>14}' for column in columns)}")
    for name, numbers in rows.items():
        print(f"{name:44}{''.join(f'{number:14.1f}' for number in numbers)}", flush=True)


def main() -> None:
    """Count and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=1000, help="campaigns a cell")
    replicates, began = parser.parse_args().replicates, time.process_time()
    cells = []
    for pieces in PIECES:
        told = {(cell.name, units): coverage(cell, units, pieces, replicates) for cell in CELLS for units in UNITS}
        cells += [{"cell": name, "units": units, "pieces": pieces, **row} for (name, units), row in told.items()]
        for quantity in ("score", "difference", "effect"):
            rows = {cell.name: [told[cell.name, n][quantity]["covered_percent"] for n in UNITS] for cell in CELLS}
            print_table(f"{quantity}, {pieces} pieces: % of 95 % intervals that hold it", list(map(str, UNITS)), rows)
    null, called = [], {}
    for (name, letters), heavy, studies in product(NULL.items(), (False, True), UNITS):
        percent = null_campaigns(letters, studies, heavy, replicates)
        null.append({"campaign": name, "studies": studies, "heavy": heavy, **percent})
        called[f"{name}, {studies}{', t3' * heavy}"] = list(percent.values())
    print_table("% of campaigns without a difference that call something", SAID, called)
    seconds = round(time.process_time() - began)
    keep("coverage", {"replicates": replicates, "processor_seconds": seconds, "cells": cells, "null": null})


if __name__ == "__main__":
    main()
