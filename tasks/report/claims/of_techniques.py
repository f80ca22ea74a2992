"""The paper's claims on its techniques: together, and each of leaky units, rectifier with L1 and Nesterov momentum."""

from collections.abc import Iterator

import numpy as np

from tasks.report.claims.by_study import Asked, compare_by_study, values_of
from tasks.report.claims.claim import Claim, Evidence, Said
from tasks.report.claims.measured import Measured, is_together
from tasks.report.numbers.closed_forms import paired_share_interval, shared_level
from tasks.report.numbers.formatting import plural
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.metrics import SCORED_NAMES
from tasks.report.numbers.variant_titles import plain_of, technique_pairs
from tasks.report.numbers.verdicts import ENOUGH_STUDIES

_TOGETHER = "plain SGD and a row of the paper with several techniques (CL, CR, CLR, CRM or CLRM)"
_SLOW = "update-rate"


def training(measured: Measured) -> Claim:
    """The techniques improve training: fewer epochs to the same validation score, a higher score on train."""
    rows = measured.together_sooner() + compare_by_study(_fits(measured))
    return Claim("training", "Together, the techniques improve training.", "4", _TOGETHER, rows)


def test_score(measured: Measured) -> Claim:
    """The techniques improve the test score on music."""
    text = "Together, the techniques improve the test score on music."
    return Claim("test", text, "4.1", f"music, {_TOGETHER}", measured.together_score(text=False))


def on_text(measured: Measured) -> Claim:
    """The same on text."""
    text = "On text the same: together, the techniques improve the test score."
    return Claim("text", text, "4.2", f"text, {_TOGETHER}", measured.together_score(text=True))


def leaky(measured: Measured) -> Claim:
    """Leaky units help."""
    rows = measured.effect("L") + measured.easier("L", "epochs")
    return Claim("leaky", "Leaky units help.", "3.2", "two variants that differ in L alone", rows)


def reading(measured: Measured) -> Claim:
    """Of the two readings of the paper's interval, the one with slow units helps."""
    text = "Leaky units help by being slow: the search chooses (0.02, 0.2) as the rate of updates, not of retention."
    needs = "variants with L whose reading is drawn from both"
    return Claim("reading", text, "3.2", needs, tuple(_readings(measured)))


def sparse(measured: Measured) -> Claim:
    """Rectifiers with L1 make gradients sparser."""
    needs = "two variants that differ in R alone, of several studies"
    text = "Rectifiers with an L1 penalty give sparser gradients."
    return Claim("sparse", text, "3.4", needs, compare_by_study(_zeros(measured)))


def rectifier(measured: Measured) -> Claim:
    """Rectifiers with L1 help."""
    rows = measured.effect("R") + measured.easier("R", "epochs")
    text = "Rectifiers with an L1 penalty help."
    return Claim("rectifier", text, "3.4", "two variants that differ in R alone", rows)


def momentum(measured: Measured) -> Claim:
    """Nesterov momentum helps."""
    rows = measured.effect("M") + measured.easier("M", "epochs")
    return Claim("momentum", "Nesterov momentum helps.", "3.5", "two variants that differ in M alone", rows)


def _fits(measured: Measured) -> Iterator[Asked]:
    """Log-likelihood of train in the epoch with the best validation score, beside plain SGD."""
    results = measured.results
    best = results.trials.set_index("key")["best_epoch"]
    curves = results.curves.assign(best=results.curves["key"].map(best))
    at_best = curves[curves["epoch"] == curves["best"]].set_index("key")["train"].to_dict()
    for corpus, facts in results.corpora.items():
        mine = results.trials[(results.trials["corpus"] == corpus) & (results.trials["status"] == "completed")]
        values = values_of(mine, at_best)
        for name in results.variants(corpus):
            if is_together(name):
                what = f"{name}, score on train (nats per {SCORED_NAMES[facts['kind']]})"
                yield Asked(corpus, what, 3, "curves of the trials", values, [(plain_of(name), name)])


def _zeros(measured: Measured) -> Iterator[Asked]:
    results, numbers = measured.results, measured.results.diagnostics
    best = numbers[(numbers["quantity"] == "zero_gradients") & (numbers["moment"] == "best")]
    shares = (100 * best.set_index("key")["value"]).to_dict()
    for corpus in results.corpora:
        mine = results.trials[(results.trials["corpus"] == corpus) & (results.trials["status"] == "completed")]
        pairs = technique_pairs(results.variants(corpus), "R")
        what = "R, gradients that are 0 (points of percent)"
        yield Asked(corpus, what, 1, "diagnostics", values_of(mine, shares), pairs)


def _readings(measured: Measured) -> Iterator[Evidence]:
    """The share of chosen configurations with slow units, minus one half; one number for each study."""
    by_corpus = {corpus: _slow_by_study(measured, corpus) for corpus in measured.results.corpora}
    there = {corpus: studies for corpus, studies in by_corpus.items() if studies}
    level = shared_level(LEVEL, len(there))
    for corpus, studies in there.items():
        value, low, high = (50 * end for end in paired_share_interval([2 * share - 1 for share in studies], level))
        enough = len(studies) >= ENOUGH_STUDIES
        said: Said = "unclear" if not enough or low <= 0 <= high else "for" if low > 0 else "against"
        what = "chosen configurations with slow units, over one half (points of percent)"
        yield Evidence(corpus, what, value, low, high, 0, plural(len(studies), "study", "studies"), "chosen", said)


def _slow_by_study(measured: Measured, corpus: str) -> list[float]:
    trials = measured.results.trials
    drawn = trials[(trials["corpus"] == corpus) & (trials["purpose"] == "search")]
    leaks = drawn["techniques"].map(lambda each: (each.get("L") or {}).get("reading"))
    if leaks.dropna().nunique() < 2:
        return []  # a campaign that fixes the reading does not compare it
    chosen = leaks[drawn["selected"].astype(bool)].dropna()
    slow = (chosen == _SLOW).groupby(drawn.loc[chosen.index, "study"]).mean()
    return [float(share) for share in np.asarray(slow)]
