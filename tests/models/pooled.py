"""The metrics of a kind of data from sums over pieces: the formulas again, apart from the report's."""

from collections.abc import Mapping
from math import exp, log

import numpy as np

from models.evaluation.metrics import Scores


def summary(kind: str, scores: Scores) -> dict[str, float]:
    """The metrics of a kind of data, pooled over pieces.

    Returns:
        music: `log_likelihood` in nats a frame, `accuracy` and `union_accuracy` in percent. characters:
        `bits_per_character`. words: `perplexity`, exp of nats a token.
    """
    mean = scores.mean_log_likelihood
    if kind == "characters":
        return {"bits_per_character": -mean / log(2)}
    if kind == "words":
        return {"perplexity": exp(-mean)}
    metrics: dict[str, float] = {"log_likelihood": mean}
    parts: Mapping[str, np.ndarray | None] = {
        "accuracy": scores.accuracy,
        "union_accuracy": scores.union_accuracy,
    }
    for name, values in parts.items():
        if values is not None:
            metrics[name] = float(100 * values.sum() / scores.steps.sum())
    return metrics
