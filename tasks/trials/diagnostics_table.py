"""The table of a network's diagnostics, stored beside its trial as `diagnostics.parquet`.

Each row has one number. A trial that was stored before there were diagnostics has no file, and its table is empty.
"""

from typing import Any

import pandas as pd

from infra.errors import NotFoundError
from infra.store import Store
from models.evaluation.diagnostics import time_constants
from models.training.outcome import Training
from tasks.telling.readable import naming
from tasks.trials.records import read_parquet, trial_prefix

FILE = "diagnostics.parquet"
DIAGNOSTIC_COLUMNS = ("moment", "epoch", "quantity", "index", "value")


def diagnosis_rows(training: Training) -> list[dict[str, Any]]:
    """The rows of a trial.

    `moment` and `epoch` say which weights were diagnosed: those at the `start`, or those of the `best` epoch.
    `quantity` is `gradient_norm` with the lag as `index`, `zero_states`, `zero_gradients`, `spectral_radius` if the
    core has one, and at the start `time_constant`, in steps, of every unit that leaks.
    """
    rows = []
    for each in training.diagnoses:
        numbers = [("gradient_norm", lag, norm) for lag, norm in enumerate(each.gradient_norms)]
        numbers += [("zero_states", 0, each.zero_states), ("zero_gradients", 0, each.zero_gradients)]
        if each.spectral_radius is not None:
            numbers.append(("spectral_radius", 0, each.spectral_radius))
        if each.moment == "start" and "retention" in training.weights:
            constants = time_constants(training.weights["retention"]).tolist()
            numbers += [("time_constant", unit, steps) for unit, steps in enumerate(constants)]
        rows += [dict(zip(DIAGNOSTIC_COLUMNS, (each.moment, each.epoch, *number), strict=True)) for number in numbers]
    return rows


def load_diagnosis(store: Store, key: str) -> pd.DataFrame:
    """The table of a trial; it is empty if the trial was stored without one.

    Raises:
        StoreError: the store cannot be used, or holds other bytes than were committed.
    """
    try:
        stored = store.find(trial_prefix(key), FILE)
    except NotFoundError:  # a trial of a version that measured nothing
        stored = None
    if stored is None:
        return pd.DataFrame(columns=list(DIAGNOSTIC_COLUMNS))
    with naming(f"{store.address}: {trial_prefix(key)}/{FILE}"):
        return read_parquet(stored)
