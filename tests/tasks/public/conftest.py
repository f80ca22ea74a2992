"""A store with a published report of a few trials, of two studies on music and on words."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.store import Store
from tasks.publishing.publish import publish
from tasks.report import Results, estimate
from tasks.report.export import plain_json, results_parquet
from tasks.report.kept import FOLDER, kept_files
from tasks.report.training.tuning import tunings
from tests.tasks.report.pages_made import small_results

MUSIC, WORDS = "bach-chorales", "folk-tunes-words"


FEW = {
    MUSIC: [f"rnn/bernoulli/SGD{tail}" for tail in ("", "+C", "+L", "+CL")],
    WORDS: [f"rnn/softmax/SGD{tail}" for tail in ("", "+C", "+CL")],
}


def _of_few(results: Results) -> Results:
    """What a few variants came to, as if nothing else had been asked."""
    names = [name for variants in FEW.values() for name in variants]
    tables = {name: getattr(results, name) for name in ("trials", "curves", "diagnostics", "pieces")}
    kept = {
        name: table[table["variant"].isin(names) | table["variant"].str.startswith("baseline/")]
        for name, table in tables.items()
    }
    return replace(results, campaign={**results.campaign, "corpora": FEW}, **kept)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its address. Of `results.json` there is what is read here: the rest takes seconds to work out."""
    results = _of_few(small_results(MUSIC, WORDS))
    estimates = estimate(results, resamples=50)
    document = {
        "campaign": results.campaign,
        "corpora": results.corpora,
        "effects": estimates.effects.to_dict("records"),
        "tuning": [row for name in results.corpora for each in tunings(results, name) for row in each.to_json()],
    }
    files = {"results.json": json.dumps(plain_json(document)).encode(), "results.parquet": results_parquet(estimates)}
    files |= {f"{FOLDER}/{name}": data for name, data in kept_files(results).items()}
    store = Store(str(tmp_path_factory.mktemp("published")))
    publish(store, files, {}, now=datetime(2026, 1, 1, tzinfo=UTC))
    return store.address
