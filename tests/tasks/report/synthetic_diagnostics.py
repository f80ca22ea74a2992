"""Made-up diagnostics of a trial: a gradient that loses a share with every step, fewer with more techniques."""

from typing import Any

import numpy as np

KEPT = {"": 0.8, "C": 0.8, "L": 0.97, "R": 0.9, "M": 0.78}
"""Share of the gradient that a technique leaves a step; the largest of a variant counts."""
ZEROS = 0.4
"""Share of the states of a rectified network that are 0; of its gradients half as many more are."""
LAGS = 50


def diagnostics_of(rng: np.random.Generator, trial: dict[str, Any], letters: str) -> list[dict[str, Any]]:
    """The rows of `Results.diagnostics` of one final trial."""
    shared = {name: trial[name] for name in ("key", "corpus", "variant")}
    rows = []
    for moment, epoch in (("start", 0), ("best", 20)):
        kept = max(KEPT[letter] for letter in letters or [""]) if moment == "best" else 0.99
        first, wobble = rng.uniform(0.5, 2), rng.normal(0, 0.01)
        numbers = [("gradient_norm", lag, first * (kept + wobble) ** lag) for lag in range(LAGS + 1)]
        zeros = ZEROS if "R" in letters else 0.0
        numbers += [("zero_states", 0, zeros), ("zero_gradients", 0, 1.5 * zeros)]
        numbers.append(("spectral_radius", 0, 1.0 if moment == "start" else 1.0 + abs(rng.normal(0, 0.2))))
        if moment == "start" and "L" in letters:
            numbers += [("time_constant", unit, rng.uniform(4.5, 50)) for unit in range(30)]
        rows += [
            {**shared, "moment": moment, "epoch": epoch, "quantity": quantity, "index": index, "value": value}
            for quantity, index, value in numbers
        ]
    return rows
