"""The paper's claims beyond its techniques: SGD beside Hessian-free optimization, and output models beside both."""

import numpy as np

from tasks.report.claims.claim import OF_VERDICT, Claim, Evidence, Said
from tasks.report.claims.contrasts import BERNOULLI, HESSIAN_FREE, NADE, Contrast
from tasks.report.claims.measured import Measured
from tasks.report.numbers.formatting import plural
from tasks.report.numbers.variant_titles import Variant, plain_of
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, replicated_verdict


def hessian_free(measured: Measured) -> Claim:
    """SGD with the techniques is at least as good as Hessian-free optimization.

    Equality is never proved: a row speaks for the claim if SGD is better, and against it if SGD is worse. Otherwise its
    interval tells how far behind SGD can be.
    """
    rows = tuple(_contrast(each) for each in measured.contrasts if Variant.parse(each.other).optimizer == HESSIAN_FREE)
    text = "SGD with all of them is as good as Hessian-free optimization, or better."
    return Claim("hessian-free", text, "4.1", "HF and SGD with CLRM, CRM or CLR of one core and output model", rows)


def output_model(measured: Measured) -> Claim:
    """The output model matters more than the optimizer and the techniques."""
    rows = tuple(_against_all(measured, each) for each in measured.contrasts if each.one == NADE)
    text = "The output model matters more than optimizer and techniques: NADE beside independent notes."
    needs = f"a variant of {BERNOULLI} and the same one of {NADE}, and others beside their plain SGD"
    return Claim("output-model", text, "4.1", needs, tuple(row for row in rows if row is not None))


def _contrast(each: Contrast) -> Evidence:
    said = OF_VERDICT.get(replicated_verdict(each.studies, each.low, each.high, each.metric.decimals), "unclear")
    what = f"{each.one} beside {each.other}, test score ({each.metric.measure})"
    ends = (each.low, each.high)
    return Evidence(each.corpus, what, each.effect.value, *ends, each.metric.decimals, _basis(each), "claims", said)


def _basis(each: Contrast) -> str:
    pairs = f"{plural(len(each.effect.pairs), 'pair')}, " if len(each.effect.pairs) > 1 else ""
    return f"{pairs}{plural(each.studies, 'study', 'studies')}"


def _against_all(measured: Measured, each: Contrast) -> Evidence | None:
    """The distance of NADE from independent notes, minus the largest distance of a variant from its plain SGD.

    With [a, b] the interval of the first, and [l, u] that of each other difference d, the largest distance is at most
    max(|l|, |u|) over them, and at least the largest of max(l, -u, 0).
    """
    rows = measured.estimates.primary(each.corpus)
    plain = {plain_of(f"{family}/SGD") for family in (BERNOULLI, NADE)}
    others = rows[rows["reference"].isin(plain) & (rows["diff_seeds"] > 0)]
    if others.empty:
        return None
    lows, highs = (others[f"diff_sim_{end}"].to_numpy(np.float64) for end in ("low", "high"))
    at_most = float(np.maximum(np.abs(lows), np.abs(highs)).max())
    at_least = float(np.maximum(np.maximum(lows, -highs), 0).max())
    low, high = each.low - at_most, each.high - at_least
    furthest = others.loc[others["difference"].abs().idxmax()]
    value = each.effect.value - abs(float(furthest["difference"]))
    enough = min(each.studies, int(others["diff_studies"].min())) >= ENOUGH_STUDIES
    said: Said = "unclear" if not enough or not (low > 0 or high < 0) else "for" if low > 0 else "against"
    decimals = each.metric.decimals
    what = f"NADE beside independent notes, less {furthest['variant']} beside its plain SGD ({each.metric.measure})"
    return Evidence(each.corpus, what, value, low, high, decimals, _basis(each), "claims, scores", said)
