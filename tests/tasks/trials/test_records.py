"""Records of trials: JSON and back, and tables as bytes."""

import json

import pandas as pd
import pytest

from infra.errors import IntegrityError
from tasks.trials.records import TrialRecord, score_prefix, to_parquet, trial_prefix
from tests.models import examples
from tests.tasks.conftest import record_of


@pytest.mark.parametrize(
    "record",
    [
        record_of(examples.trial(), -1.2345678901234567),
        record_of(examples.trial("CLRM"), status="diverged", diverged_at=7, best_epoch=0),
        record_of(examples.trial("L"), status="untrained"),
    ],
    ids=["completed", "diverged", "untrained"],
)
def test_a_record_comes_back_from_json_as_it_was(record):
    values = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert TrialRecord.from_json(values) == record
    assert TrialRecord.from_json(values).trial.key == record.trial.key
    assert (values["key"], values["variant"]) == (record.trial.key, record.trial.variant)


def test_a_trial_and_its_scores_are_stored_under_its_key():
    assert (trial_prefix("12ab"), score_prefix("12ab")) == ("trials/12ab", "scores/12ab")


def test_a_record_of_another_format_is_refused():
    values = record_of(examples.trial()).to_json()
    for other in (values | {"format": 2}, {name: value for name, value in values.items() if name != "format"}):
        with pytest.raises(IntegrityError, match="of another version"):
            TrialRecord.from_json(other)


def test_rows_are_a_parquet_file_without_an_index(tmp_path):
    path = tmp_path / "rows.parquet"
    path.write_bytes(to_parquet([{"a": 1, "b": "x"}]))
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.DataFrame({"a": [1], "b": ["x"]}))
