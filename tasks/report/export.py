"""The report for programs: `results.json` and `results.parquet`, described in docs/report.md.

A number that does not exist is null in both; there is no NaN in the JSON. What this does not do: compute.
"""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.report.aggregate import aggregate
from tasks.report.aggregate_words import aggregate_json
from tasks.report.answer import answer, told_of_search
from tasks.report.ease import measure_ease
from tasks.report.ease_words import ease_sentences
from tasks.report.edges import edge_rows
from tasks.report.estimates import Estimates
from tasks.report.intervals import LEVEL
from tasks.report.mattering import mattering_rows
from tasks.report.results import Results
from tasks.report.samples import sample_rows
from tasks.report.tuning import tunings
from tasks.report.why import diagnoses_of

# Raised when a column or a key changes its meaning or disappears; a new one does not raise it.
SCHEMA_VERSION = 3
_CHOSEN = (
    *("corpus", "variant", "study", "key", "hidden_size", "activation", "learning_rate", "techniques"),
    *("parameters", "valid"),
)
_ENDED = (
    "corpus",
    "variant",
    "purpose",
    "study",
    "seed",
    "key",
    "status",
    "valid",
    "best_epoch",
    "epochs",
    "diverged_at",
)


def results_json(results: Results, estimates: Estimates) -> bytes:
    """Everything that the page says, as one JSON document in UTF-8."""
    trials = results.trials
    chosen = trials.loc[trials["selected"].astype(bool), list(_CHOSEN)]
    counts = trials.groupby(["corpus", "variant", "purpose", "status"], sort=True).size().rename("trials")
    answers = {name: answer(estimates, name) for name in results.corpora}
    ease = measure_ease(results)
    document = {
        "schema": "counterpoint.results",
        "schema_version": SCHEMA_VERSION,
        "answers": {name: asdict(said) for name, said in answers.items()},
        "search": told_of_search(estimates),
        "campaign": results.campaign,
        "corpora": results.corpora,
        "statistics": {
            "method": "bootstrap over pieces, Student's t over studies, or over seeds where there is one study",
            "level": LEVEL,
            "resamples": estimates.resamples,
            "seed": estimates.seed,
        },
        "scores": estimates.scores.to_dict("records"),
        "effects": estimates.effects.to_dict("records"),
        "ease": {
            "answers": ease_sentences(ease, list(results.corpora)),
            "techniques": ease.techniques,
            "variants": ease.variants,
        },
        "tuning": [row for name in results.corpora for each in tunings(results, name) for row in each.to_json()],
        "search_space": {
            "edges": [row for name in results.corpora for row in edge_rows(results, name)],
            "mattering": [row for name in results.corpora for row in mattering_rows(results, name)],
        },
        "aggregate": aggregate_json(aggregate(results, estimates)),
        "chosen": chosen.to_dict("records"),
        "diagnostics": [each.to_json() for name in results.corpora for each in diagnoses_of(results, name)],
        "trials": counts.reset_index().to_dict("records"),
        "ended": trials.loc[trials["status"] != "failed", list(_ENDED)].to_dict("records"),
        "failures": results.failures,
        "samples": sample_rows(results),
        "provenance": results.provenance,
    }
    return json.dumps(_plain(document), allow_nan=False, ensure_ascii=False, indent=1).encode()


def results_parquet(estimates: Estimates) -> bytes:
    """The table of scores, a row a corpus, variant and metric; the file's metadata holds the schema's version."""
    table = pa.Table.from_pandas(estimates.scores, preserve_index=False)
    table = table.replace_schema_metadata({"counterpoint.schema_version": str(SCHEMA_VERSION)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """The same value in the types that JSON has; what is not a finite number is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, str | int) else str(value)
