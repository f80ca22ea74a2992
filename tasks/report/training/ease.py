"""Whether networks are easier to train with a technique: sooner at the same score, and from more of the draws.

There are two tables, one by (corpus, technique, measure) and one by (corpus, variant). A technique is compared over all
pairs of variants that differ in it alone. The time of a run to a score (`reaching.py`) has the study as the unit. The
ends of the search's draws (`drawn.py`) have the draw as the unit.

What this does not do: judge test scores (`estimates.py`), or put anything into words (`words.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from tasks.report.numbers.closed_forms import NAN, share_interval
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import is_baseline, plain_of, technique_pairs, techniques_told
from tasks.report.training.drawn import Draws, decades, draws_of
from tasks.report.training.measures import MEASURES, Logs, Points, Row, counts, fill
from tasks.report.training.reaching import UNITS, Runs, by_study, compare, plain_best, runs_of

TARGETS = (2 / 3, 0.9, 1.0)
"""Parts of the way from counting to the best of plain SGD: how many trials reach each, and how soon."""
_SHARES = ("diverged", "untrained", "trained", "good")


@dataclass(frozen=True)
class Ease:
    """The two tables, as rows of plain values; a number that does not exist is NaN.

    Attributes:
        techniques: one row for each (corpus, technique, measure): `value` with `low` and `high`, and `sim_low` and
            `sim_high`, which hold at once for all techniques and corpora of the measure. For epochs, updates and
            seconds the value is a factor: the time of a run with the technique over that of a run without, up to the
            highest validation score that both reach. For the other measures it is points of percent of the draws.
            There are `n_pairs` pairs of variants, each of `fewest_studies` to `most_studies` studies and of so many
            seeds or draws. At `never` seeds one of the two runs learned nothing, and at `dropped` seeds neither did.
            `decades`: of the learning rates that the draws are from, so that the good range is wider by `decades *
            value / 100`; NaN if there is none. `verdict`: better, worse, undecided, unreplicated (one study); ""
            without a value.
        variants: one row for each (corpus, variant): its draws and how they ended, in percent `trained`, `diverged`,
            `untrained` and `good`, each with its exact interval, and the `decades` of learning rate that the good draws
            cover. `targets`: for each of `TARGETS` the number of final trials that got there, and the median of epochs,
            updates and seconds, infinity if half of them never did. A variant that is compared with plain SGD also has
            the columns of a technique's epochs.
    """

    techniques: tuple[Row, ...]
    variants: tuple[Row, ...]

    def of(self, corpus: str) -> "Ease":
        """What is of one corpus."""
        techniques, variants = (
            tuple(row for row in rows if row["corpus"] == corpus) for rows in (self.techniques, self.variants)
        )
        return Ease(techniques, variants)


def measure_ease(results: Results) -> Ease:
    """Compute both tables for all corpora of a campaign."""
    told = techniques_told(name for corpus in results.corpora for name in results.variants(corpus))
    families: dict[str, list[tuple[Row, Logs | Points]]] = {name: [] for name in MEASURES}
    variants: list[Row] = []
    for corpus in results.corpora:
        runs, draws = runs_of(results, corpus), draws_of(results, corpus)
        epochs = int((results.campaign.get("epochs") or {}).get(corpus) or 0)
        names = [name for name in results.variants(corpus) if not is_baseline(name)]
        for letter in told:
            pairs = technique_pairs(names, letter)
            common = {"corpus": corpus, "technique": letter, "pairs_asked": len(pairs)}
            width = decades(results, corpus, (name for pair in pairs for name in pair))
            for name, (row, logs) in _longer(runs, pairs, epochs).items():
                families[name].append((common | row | {"decades": NAN}, logs))
            for name in _SHARES:
                row, points = _more(draws, pairs, name)
                families[name].append((common | row | {"decades": width if name == "good" else NAN}, points))
        variants += _variants(results, corpus, names, runs, draws, epochs)
    for name, family in families.items():
        fill(MEASURES[name], family)
    places = {corpus: place for place, corpus in enumerate(results.corpora)}
    rows = [row for family in families.values() for row, _ in family]
    order = [*told]
    rows.sort(key=lambda row: (places[row["corpus"]], order.index(row["technique"])))  # the measures keep their order
    return Ease(tuple(rows), tuple(variants))


def _longer(runs: Runs, asked: Sequence[tuple[str, str]], epochs: int) -> dict[str, tuple[Row, Logs]]:
    """The factor by which runs take longer with than without, for each unit of time."""
    pairs = [pair for both in asked if (pair := compare(runs, *both, epochs)).ratios]
    studies = list(by_study(pairs))
    rounding = float(np.mean([each for _, each in studies])) if studies else 0.0
    row = counts([(pair.studies, len(pair.ratios)) for pair in pairs])
    row |= {"never": sum(pair.never for pair in pairs), "dropped": sum(pair.dropped for pair in pairs)}
    return {
        name: (dict(row), Logs([float(mean_U[place]) for mean_U, _ in studies], rounding))
        for place, name in enumerate(UNITS)
    }


def _more(draws: Draws, asked: Sequence[tuple[str, str]], name: str) -> tuple[Row, Points]:
    """How many more draws end so with than without; for each draw the mean over the pairs that have it."""
    by_draw: dict[tuple[int, int], list[int]] = {}
    pairs = []
    for without, with_it in asked:
        theirs, mine = draws.get(without, {}), draws.get(with_it, {})
        both = sorted(theirs.keys() & mine.keys())
        pairs += [(len({study for study, _ in both}), len(both))] if both else []
        for place in both:
            by_draw.setdefault(place, []).append(getattr(mine[place], name) - getattr(theirs[place], name))
    row = counts(pairs) | {"never": 0, "dropped": 0}
    return row, Points([sum(each) / len(each) for each in by_draw.values()])


def _variants(results: Results, corpus: str, names: Sequence[str], runs: Runs, draws: Draws, epochs: int) -> list[Row]:
    rows: list[Row] = []
    compared: list[tuple[Row, Logs | Points]] = []
    for name in names:
        plain = plain_of(name)
        row, sample = _longer(runs, [(plain, name)] if name != plain else [], epochs)["epochs"]
        row |= {"corpus": corpus, "variant": name, "reference": plain if name != plain else ""}
        compared.append((row, sample))
        rows.append(row)
        row |= _ended(results, corpus, name, draws)
        row["targets"] = _targets(runs, plain, name, float(results.corpora[corpus]["counting"]))
    fill(MEASURES["epochs"], compared)
    return rows


def _ended(results: Results, corpus: str, variant: str, draws: Draws) -> Row:
    """How the draws of a variant ended, in percent."""
    mine = list(draws.get(variant, {}).values())
    row: Row = {"draws": len(mine)}
    for name in _SHARES:
        value, low, high = share_interval(sum(getattr(draw, name) for draw in mine), len(mine), LEVEL)
        row |= {name: 100 * value, f"{name}_low": 100 * low, f"{name}_high": 100 * high}
    return row | {"decades": row["good"] / 100 * decades(results, corpus, [variant])}


def _targets(runs: Runs, plain: str, variant: str, counting: float) -> list[dict[str, Any]]:
    """For each target how many final trials of a variant got there, and how long they took in the median."""
    best = plain_best(runs, plain)
    mine = {place: run for place, run in runs.get(variant, {}).items() if place[0] in best}
    told = []
    for part in TARGETS:
        goals = {study: counting + part * (score - counting) if part < 1 else score for study, score in best.items()}
        taken = [
            [inf] * len(UNITS) if run is None else run.taken(goals[study]).tolist() for (study, _), run in mine.items()
        ]
        medians = np.median(taken, axis=0).tolist() if taken else [NAN] * len(UNITS)
        reached = sum(each[0] < inf for each in taken)
        told.append({"part": part, "finals": len(taken), "reached": reached, **dict(zip(UNITS, medians, strict=True))})
    return told
