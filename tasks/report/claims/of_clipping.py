"""The paper's claims on clipping: it keeps training from diverging, and matters most where gradients explode."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tasks.report.claims.claim import Claim, Evidence, Said
from tasks.report.claims.measured import Measured
from tasks.report.numbers.closed_forms import Interval
from tasks.report.numbers.formatting import interval, number
from tasks.report.numbers.variant_titles import main_variants, plain_of
from tasks.report.training.measures import Row


def clipping(measured: Measured) -> Claim:
    """With clipping fewer of the draws diverge, and the test score is better."""
    rows = measured.easier("C", "diverged") + measured.effect("C")
    text = "Clipping keeps training from diverging, and helps."
    return Claim("clipping", text, "3.1", "two variants that differ in C alone", rows)


def exploding(measured: Measured) -> Claim:
    """Clipping matters most where gradients explode; two corpora at a time are compared."""
    there = list(_corpora(measured))
    rows = tuple(_beside(*sorted(pair, key=lambda each: -each.diverged.value)) for pair in combinations(there, 2))
    text = "Clipping matters most where gradients explode."
    needs = "two corpora or more, on each of them plain SGD and two variants that differ in C alone"
    return Claim("exploding", text, "3.1", needs, rows)


@dataclass(frozen=True)
class _Exploding:
    """A corpus: plain SGD's draws that diverge, percent; how far norms leap; the effect of C on draws that train."""

    corpus: str
    diverged: Interval
    leap: float
    trained: Row


def _corpora(measured: Measured) -> Iterator[_Exploding]:
    curves = measured.results.curves
    for corpus in measured.results.corpora:
        mine = measured.ease.of(corpus)
        main = main_variants(measured.results.variants(corpus))
        plain = plain_of(main[0]) if main else ""
        of_plain = next((row for row in mine.variants if row["variant"] == plain and row["draws"]), None)
        told = [row for row in mine.techniques if (row["technique"], row["measure"]) == ("C", "trained")]
        if of_plain is None or not told or not told[0]["verdict"]:
            continue
        epochs = curves[(curves["corpus"] == corpus) & (curves["variant"] == plain) & (curves["epoch"] > 0)]
        leaps = (epochs["largest_norm"] / epochs["gradient_norm"]).to_numpy(np.float64)
        leap = float(np.median(leaps[np.isfinite(leaps)])) if np.isfinite(leaps).any() else float("nan")
        diverged = Interval(*(of_plain[f"diverged{end}"] for end in ("", "_low", "_high")))
        yield _Exploding(corpus, diverged, leap, told[0])


def _beside(more: _Exploding, less: _Exploding) -> Evidence:
    """The effect of C where more draws diverge, minus the effect where fewer do, from the ends of both intervals.

    It says nothing if it cannot be told on which corpus more draws diverge.
    """
    value = more.trained["value"] - less.trained["value"]
    low = more.trained["sim_low"] - less.trained["sim_high"]
    high = more.trained["sim_high"] - less.trained["sim_low"]
    sure = more.diverged.low > less.diverged.high
    said: Said = "for" if sure and low > 0 else "against" if sure and high < 0 else "unclear"
    told = "; ".join(map(_told, (more, less)))
    what = f"C, draws that train, beside {less.corpus} (points of percent)"
    return Evidence(more.corpus, what, value, low, high, 1, f"plain SGD: {told}", "ease", said)


def _told(each: _Exploding) -> str:
    shares = f"{number(each.diverged.value, 0)} % {interval(each.diverged.low, each.diverged.high, 0)}"
    leap = f", largest norm of an epoch {number(each.leap, 1)} times its mean" if each.leap == each.leap else ""
    return f"on {each.corpus} {shares} of the draws diverge{leap}"
