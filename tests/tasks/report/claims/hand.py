"""What claims are judged by, by hand: rows of scores, effects and ease, each with what a claim looks at."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tasks.report import Results
from tasks.report.claims import Claim, Measured
from tasks.report.numbers.estimates import EFFECT_COLUMNS, SCORE_COLUMNS, Estimates
from tasks.report.numbers.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS
from tasks.report.training.ease import Ease

KINDS = {"songs": "music", "novels": "characters"}
METRICS = {"songs": "log_likelihood", "novels": "bits_per_character"}
OUTPUTS = {"songs": "rnn/bernoulli", "novels": "rnn/softmax"}
Row = dict[str, Any]


def effect(letter: str, low: float, high: float, corpus: str = "songs", studies: int = 3) -> Row:
    """The effect of a technique."""
    row = {"corpus": corpus, "metric": METRICS[corpus], "technique": letter, "effect": (low + high) / 2}
    counts = {f"{end}_{of}": studies for end in ("fewest", "most") for of in ("studies", "seeds")}
    return row | counts | {"low": low, "high": high, "sim_low": low, "sim_high": high, "n_pairs": 2, "pairs_asked": 2}


def score(variant: str, low: float, high: float, corpus: str = "songs", studies: int = 3) -> Row:
    """A variant, by optimizer and techniques, that is so much better than plain SGD."""
    name = variant if "/" in variant else f"{OUTPUTS[corpus]}/{variant}"
    row = {"corpus": corpus, "kind": KINDS[corpus], "metric": METRICS[corpus], "variant": name, "mean": -9.0}
    ends = {"diff_sim_low": low, "diff_sim_high": high, "diff_studies": studies, "diff_seeds": studies}
    return row | ends | {"reference": f"{name.rpartition('/')[0]}/SGD", "difference": (low + high) / 2}


def ease(measure: str, letter: str, value: float, verdict: str, corpus: str = "songs") -> Row:
    """What a technique does to a measure of ease; its interval reaches a tenth to either side."""
    row = {"corpus": corpus, "technique": letter, "measure": measure, "value": value, "verdict": verdict}
    ends = {"sim_low": value - 0.1, "sim_high": value + 0.1}
    return row | ends | {"n_pairs": 2, "fewest_studies": 3, "most_studies": 3, "fewest_seeds": 30, "most_seeds": 30}


def measured(
    *,
    scores: Sequence[Row] = (),
    effects: Sequence[Row] = (),
    techniques: Sequence[Row] = (),
    variants: Sequence[Row] = (),
    frames: Mapping[str, Sequence[Row]] | None = None,
    asked: Mapping[str, Sequence[str]] | None = None,
) -> Measured:
    """The tables of a report on a corpus of music and one of characters; what is not given is empty."""
    plain = [score("SGD", 0, 0, corpus) | {"diff_seeds": 0} for corpus in KINDS]
    columns = {
        "trials": TRIAL_COLUMNS,
        "curves": CURVE_COLUMNS,
        "diagnostics": DIAGNOSTIC_COLUMNS,
        "pieces": PIECE_COLUMNS,
    }
    made = {
        name: pd.DataFrame(list((frames or {}).get(name, ())), columns=list(each)) for name, each in columns.items()
    }
    results = Results(
        **made,
        corpora={corpus: {"kind": kind} for corpus, kind in KINDS.items()},
        portraits={},
        campaign={"corpora": asked or {}},
        provenance={},
    )
    tables = (
        pd.DataFrame([*plain, *scores], columns=list(SCORE_COLUMNS)),
        pd.DataFrame(list(effects), columns=list(EFFECT_COLUMNS)),
    )
    return Measured(results, Estimates(*tables, 200, 0), Ease(tuple(techniques), tuple(variants)))


def told(claim: Claim) -> tuple[str, list[str]]:
    """The verdict, and what each row says."""
    return claim.verdict, [row.said for row in claim.evidence]
