"""The table of a trial's diagnostics: every number once, and none for trials of an older version."""

import pandas as pd

from models.training.run import Training, train
from tasks.trials.diagnostics_table import DIAGNOSTIC_COLUMNS, diagnosis_rows, load_diagnosis
from tasks.trials.records import to_parquet, trial_prefix
from tests.models import examples
from tests.models.evaluation.test_diagnostics import splits


def _trained(letters: str, **changes: object) -> Training:
    return train(examples.trial(letters, **changes), *splits("bernoulli"), 5)


def test_every_number_is_a_row():
    training = _trained("L")
    rows = pd.DataFrame(diagnosis_rows(training))
    assert tuple(rows) == DIAGNOSTIC_COLUMNS
    for each in training.diagnoses:
        mine = rows[(rows["moment"] == each.moment) & (rows["epoch"] == each.epoch)].groupby("quantity")["value"]
        values = {str(name): tuple(group) for name, group in mine}
        leaking = values.pop("time_constant", ())
        assert values == {
            "gradient_norm": each.gradient_norms,
            "zero_states": (each.zero_states,),
            "zero_gradients": (each.zero_gradients,),
            "spectral_radius": (each.spectral_radius,),
        }
        assert len(leaking) == (4 if each.moment == "start" else 0)
    constants = rows.loc[rows["quantity"] == "time_constant", "value"]
    assert constants.between(4, 50).all(), "an update rate from 0.02 to 0.2"


def test_a_gated_core_has_no_radius_and_one_without_leak_no_time_constants():
    rows = pd.DataFrame(diagnosis_rows(_trained("", core="lstm")))
    assert set(rows["quantity"]) == {"gradient_norm", "zero_states", "zero_gradients"}


def test_it_comes_back_as_it_was_stored(store):
    training = _trained("CLRM")
    assert load_diagnosis(store, "k").empty
    rows = diagnosis_rows(training)
    store.commit(trial_prefix("k"), {"diagnostics.parquet": to_parquet(rows)}, kind="trial", provenance={})
    pd.testing.assert_frame_equal(load_diagnosis(store, "k"), pd.DataFrame(rows))


def test_a_trial_of_an_older_version_has_an_empty_table(store):
    store.commit(trial_prefix("k"), {"record.json": b"{}"}, kind="trial", provenance={})
    assert load_diagnosis(store, "k").empty
    assert tuple(load_diagnosis(store, "k")) == DIAGNOSTIC_COLUMNS
