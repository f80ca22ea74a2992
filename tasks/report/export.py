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

from tasks.report.findings import Findings
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.intervals import LEVEL
from tasks.report.over_corpora.words import aggregate_json
from tasks.report.pages.samples import sample_rows
from tasks.report.words.answer import told_of_search

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
    "stalled",
)


def results_json(findings: Findings) -> bytes:
    """Everything that the page says, as one JSON document in UTF-8."""
    results, estimates, ease = findings.results, findings.estimates, findings.ease
    trials = results.trials
    chosen = trials.loc[trials["selected"].astype(bool), list(_CHOSEN)]
    alike = trials.assign(stalled=trials["stalled"].eq(True)).groupby(
        ["corpus", "variant", "purpose", "status"], sort=True
    )
    counts = alike["stalled"].agg(trials="size", stalled="sum")
    document = {
        "schema": "counterpoint.results",
        "schema_version": SCHEMA_VERSION,
        "answers": {name: asdict(said) for name, said in findings.answers.items()},
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
            "answers": findings.ease_sentences,
            "techniques": ease.techniques,
            "variants": ease.variants,
        },
        "tuning": [row for told in findings.tunings.values() for each in told for row in each.to_json()],
        "search_space": {
            "edges": [row for rows in findings.edges.values() for row in rows],
            "mattering": [row for rows in findings.mattering.values() for row in rows],
        },
        "claims": [claim.to_json() for claim in findings.claims],
        "published": {name: told.to_json() for name, told in findings.published.items()},
        "paper_tables": [row for table in findings.paper if table.corpora for row in table.to_json()],
        "aggregate": aggregate_json(findings.aggregate),
        "chosen": chosen.to_dict("records"),
        "diagnostics": [each.to_json() for told in findings.diagnoses.values() for each in told],
        "trials": counts.reset_index().to_dict("records"),
        "ended": trials.loc[trials["status"] != "failed", list(_ENDED)].to_dict("records"),
        "failures": results.failures,
        "broken": [asdict(each) for each in findings.broken],
        "samples": sample_rows(results),
        "provenance": results.provenance,
    }
    return json.dumps(plain_json(document), allow_nan=False, ensure_ascii=False, indent=1).encode()


def results_parquet(estimates: Estimates) -> bytes:
    """The table of scores, a row for each corpus, variant and metric; the file's metadata has the schema version."""
    table = pa.Table.from_pandas(estimates.scores, preserve_index=False)
    table = table.replace_schema_metadata({"counterpoint.schema_version": str(SCHEMA_VERSION)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def plain_json(value: Any) -> Any:
    """The same value in the types of JSON; a number that is not finite is null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    return [plain_json(item) for item in value] if isinstance(value, Sequence) else str(value)
