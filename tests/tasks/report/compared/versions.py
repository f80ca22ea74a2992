"""Versions of a report with known truth: one corpus, levels of variants as a test wants them, luck from one number."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.results import CURVE_COLUMNS, DIAGNOSTIC_COLUMNS, PIECE_COLUMNS, TRIAL_COLUMNS, Results

SGD, C, L, CL = (f"rnn/bernoulli/SGD{letters}" for letters in ("", "+C", "+L", "+CL"))
CORPUS, DIGEST = "songs", "d" * 64
LUCK, NOISE, PIECES = 0.05, 0.1, 12
LEVELS = dict.fromkeys((SGD, C, L, CL), -9.0)


def version(
    luck: int,
    levels: Mapping[str, float] = LEVELS,
    *,
    studies: Sequence[int] = range(5),
    draws: int | None = None,
    digest: str = DIGEST,
    pieces: int = PIECES,
    **campaign: Any,
) -> Results:
    """A version.

    Args:
        luck: names the random numbers of the scores.
        levels: nats a frame of each variant, but for luck.
        studies: their numbers.
        draws: names the seeds, `luck` where None: versions of equal ones have studies of the same draws.
        digest: of the corpus.
        pieces: of its test split.
        campaign: more of what was asked.
    """
    difficulty_P = np.random.default_rng(99).normal(0, 1.4, pieces)
    draws = luck if draws is None else draws
    trials: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    for study in studies:
        # the luck of the draws, which all variants share
        shared = np.random.default_rng([draws, study, 1]).normal(0, LUCK)
        for number, (variant, level) in enumerate(levels.items()):
            rng = np.random.default_rng([luck, study, 2, number])
            seed = 1000 * draws + study
            key = f"{luck} {variant} {study}"
            trials += [_trial(variant, study, seed, "search", f"{key} s"), _trial(variant, study, seed, "final", key)]
            means_P = level + shared + rng.normal(0, LUCK / 2) + difficulty_P + rng.normal(0, NOISE, pieces)
            named = {"corpus": CORPUS, "variant": variant, "key": key, "study": study, "seed": seed}
            scores += [
                {**named, "piece": f"{p}.mid", "steps": 20 + p, "log_likelihood": (20 + p) * mean, "accuracy": 1.0}
                for p, mean in enumerate(means_P)
            ]
    return Results(
        trials=pd.DataFrame(trials, columns=list(TRIAL_COLUMNS)),
        curves=pd.DataFrame(columns=list(CURVE_COLUMNS)),
        diagnostics=pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS)),
        pieces=pd.DataFrame(scores, columns=list(PIECE_COLUMNS)),
        corpora={CORPUS: {"kind": "music", "digest": digest, "pieces": {"test": pieces}, "steps": {}, "vocabulary": 0}},
        portraits={},
        campaign={
            **{
                "preset": "small",
                "corpora": {CORPUS: list(levels)},
                "studies": len(studies),
                "seeds": 1,
                "seed": draws,
            },
            **campaign,
        },
        provenance={"commit": f"{luck:040d}", "versions": {"torch": "2.13.0"}},
    )


def _trial(variant: str, study: int, seed: int, purpose: str, key: str) -> dict[str, Any]:
    named = {"key": key, "corpus": CORPUS, "kind": "music", "variant": variant, "purpose": purpose, "study": study}
    rest = {"seed": seed, "status": "completed", "learning_rate": 0.01, "techniques": {}, "valid": -9.0}
    return {**named, **rest, "selected": purpose == "search"}
