"""Score final trials on the test split: each once, and only those of chosen configurations.

The store guarantees the "once": the first commit of `scores/<trial key>/` stays, and is immutable. A final trial that
diverged or learned nothing has no test score; the report counts it.
"""

import pandas as pd

from infra.provenance import provenance
from models.evaluation.baselines import baselines, score_baseline, score_mean
from models.evaluation.metrics import Scores, score
from models.randomness import generator_for
from tasks.corpus.corpus import Corpus
from tasks.trials.data import TrialData
from tasks.trials.records import score_prefix, to_parquet
from tasks.trials.trained import Trained


def ensure_scored(trained: Trained) -> None:
    """Score a completed trial on test, unless its scores are stored; commit the sums of every piece."""
    trial, store, data = trained.trial, trained.store, trained.data
    prefix = score_prefix(trial.key)
    if store.committed(prefix):
        return
    scores = score(trained.network, data.pieces["test"], generator_for(trial.stream, "accuracy"), reported=True)
    files = {"pieces.parquet": to_parquet(piece_rows(data.corpus, scores))}
    store.commit(prefix, files, kind="score", provenance=provenance())


def piece_rows(corpus: Corpus, scores: Scores) -> list[dict[str, object]]:
    """One row for each piece of the test split: title, scored steps and the sums of the scores.

    A score that this kind of corpus lacks is NaN. If the log-likelihood is an estimate, its standard error is added.
    """
    nothing = [float("nan")] * len(scores.steps)
    sums = {name: getattr(scores, name) for name in ("log_likelihood", "accuracy", "union_accuracy", "success")}
    columns = [nothing if values is None else values for values in sums.values()]
    rows: list[dict[str, object]] = [
        {"piece": piece, "steps": int(steps)} | dict(zip(sums, values, strict=True))
        for piece, steps, *values in zip(corpus.titles["test"], scores.steps, *columns, strict=True)
    ]
    if scores.log_likelihood_error is not None:
        for row, error in zip(rows, scores.log_likelihood_error, strict=True):
            row["log_likelihood_error"] = error
    return rows


def baseline_table(data: TrialData) -> pd.DataFrame:
    """Test scores of the count baselines of a corpus, one row for each baseline and piece."""
    tables = [
        pd.DataFrame(piece_rows(data.corpus, scores)).assign(variant=f"baseline/{name}")
        for name, scores in _baseline_scores(data, "test").items()
    ]
    return pd.concat(tables, ignore_index=True)


def counting_on_validation(data: TrialData) -> float:
    """The validation score of the best count baseline: log-likelihood in nats a scored step."""
    return max(scores.mean_log_likelihood for scores in _baseline_scores(data, "valid").values())


def _baseline_scores(data: TrialData, split: str) -> dict[str, Scores]:
    train, scored = data.pieces["train"], data.pieces[split]
    if data.corpus.kind == "adding":
        return {"mean": score_mean(train, scored)}
    return {
        name: score_baseline(probability_D, scored, generator_for("baseline", name))
        for name, probability_D in baselines(train, data.corpus.width).items()
    }
