"""The claims of the paper, each with a verdict from the report's own intervals.

In this room: a claim as a value, and for each claim a function that finds the rows for it or against it. Never in it: a
number that was not measured in the campaign; those of the literature are in `published/`.
"""

from collections.abc import Callable

from tasks.report.claims import of_clipping, of_models, of_techniques
from tasks.report.claims.claim import Claim, Evidence
from tasks.report.claims.measured import Measured
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.results import Results
from tasks.report.training.ease import Ease

__all__ = ["CLAIMS", "Claim", "Evidence", "Measured", "judge_claims"]

CLAIMS: tuple[Callable[[Measured], Claim], ...] = (
    of_techniques.training,
    of_techniques.test_score,
    of_clipping.clipping,
    of_clipping.exploding,
    of_techniques.leaky,
    of_techniques.reading,
    of_techniques.sparse,
    of_techniques.rectifier,
    of_techniques.momentum,
    of_models.hessian_free,
    of_models.output_model,
    of_techniques.on_text,
)


def judge_claims(results: Results, estimates: Estimates, ease: Ease) -> tuple[Claim, ...]:
    """Every claim of the paper with its rows, in the order of `CLAIMS`."""
    measured = Measured(results, estimates, ease)
    return tuple(claim(measured) for claim in CLAIMS)
