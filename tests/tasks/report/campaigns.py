"""A campaign of one corpus by hand: every curve and every draw as a test wants it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tasks.report.numbers.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS, Results

CORPUS = "songs"
COUNTING = -11.0
SGD = "rnn/bernoulli/SGD"
DIVERGED = "diverged"
Outcome = float | str
"""Of a draw: its validation score, or `diverged`, `untrained`, `failed`."""


def campaign_by_hand(
    finals: Mapping[str, Mapping[tuple[int, int], Sequence[float] | str]] | None = None,
    draws: Mapping[str, Sequence[Sequence[Outcome]]] | None = None,
    epochs: int = 10,
    rates: Sequence[float] = (),
    **campaign: Any,
) -> Results:
    """A campaign of music.

    Args:
        finals: of each variant by study and seed the validation scores from epoch 1 on, or how it ended without any.
        draws: of each variant a row a study of how its draws ended.
        epochs: of a trial at most.
        rates: learning rate of the i-th draw.
        campaign: more of what was asked.
    """
    trials: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for variant, runs in (finals or {}).items():
        for (study, seed), curve in runs.items():
            key = f"{variant} {study} {seed}"
            trials.append(_trial(variant, key, "final", study, seed, curve if isinstance(curve, str) else max(curve)))
            told = () if isinstance(curve, str) else curve
            trials[-1] |= {"updates": 5 * len(told), "seconds": 2.0 * len(told)}
            start = [{"epoch": 0, "update": 0, "valid": COUNTING - 1}]
            rows = start + [{"epoch": e, "update": 5 * e, "valid": v} for e, v in enumerate(told, start=1)]
            curves += [{"key": key, "corpus": CORPUS, "variant": variant} | row for row in rows]
    for variant, studies in (draws or {}).items():
        for study, outcomes in enumerate(studies):
            for index, outcome in enumerate(outcomes):
                trials.append(_trial(variant, f"{variant} {study} {index} s", "search", study, index, outcome))
                trials[-1] |= {"learning_rate": rates[index]} if rates else {}
    return Results(
        trials=pd.DataFrame(trials, columns=list(TRIAL_COLUMNS)),
        curves=pd.DataFrame(curves, columns=list(CURVE_COLUMNS)),
        diagnostics=pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS)),
        pieces=pd.DataFrame(columns=list(PIECE_COLUMNS)),
        corpora={CORPUS: {"kind": "music", "counting": COUNTING}},
        portraits={},
        campaign={
            "corpora": {CORPUS: list(dict.fromkeys([*(finals or {}), *(draws or {})]))},
            "epochs": {CORPUS: epochs},
            "spaces": {CORPUS: {"learning_rate": {"low": 1e-4, "high": 1e-1, "scale": "log"}}},
            **campaign,
        },
        provenance={},
    )


def _trial(variant: str, key: str, purpose: str, study: int, seed: int, outcome: Outcome) -> dict[str, Any]:
    ended = {"status": outcome} if isinstance(outcome, str) else {"status": "completed", "valid": outcome}
    first = {"valid_first": ended.get("valid")} if purpose == "search" else {}
    named = {"key": key, "corpus": CORPUS, "kind": "music", "variant": variant, "purpose": purpose}
    return {**named, "study": study, "seed": seed, "learning_rate": 0.01, "techniques": {}, **ended, **first}
