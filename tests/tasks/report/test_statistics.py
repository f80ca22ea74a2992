"""The bootstrap against plain loops, closed forms, coverage on simulated data, and cases at the edge.

Shape letters: R resamples, P pieces, N seeds.
"""

import numpy as np
import pandas as pd
import pytest

from infra.errors import CampaignError
from tasks.report import statistics
from tasks.report.metrics import METRICS, Metric
from tasks.report.statistics import Bootstrap, ScoredPieces, draw_pieces, generator_for, percentile_interval

LOG_LIKELIHOOD, ACCURACY, _ = METRICS["music"]
(PERPLEXITY,) = METRICS["words"]
(BITS,) = METRICS["characters"]


def _rows(
    variant: str, seeds: list[int], sums_NP: np.ndarray, steps_P: np.ndarray, error: float = np.nan
) -> list[dict]:
    return [
        {"variant": variant, "seed": seed, "piece": f"p{p}", "steps": int(steps_P[p]),
         "log_likelihood": row[p], "accuracy": abs(row[p]) / 100, "union_accuracy": np.nan, "success": np.nan,
         "log_likelihood_error": error * steps_P[p]}
        for seed, row in zip(seeds, sums_NP, strict=True)
        for p in range(len(steps_P))
    ]  # fmt: skip


def _scored(variants: dict[str, list[int]], pieces: int = 7, seed: int = 0) -> ScoredPieces:
    rng = np.random.default_rng(seed)
    steps_P = rng.integers(5, 40, pieces)
    level_P = rng.normal(-8, 1, pieces)
    rows = []
    for variant, seeds in variants.items():
        sums_NP = steps_P * (level_P + rng.normal(0, 0.2, (len(seeds), 1)) + rng.normal(0, 0.1, (len(seeds), pieces)))
        rows += _rows(variant, seeds, sums_NP, steps_P)
    return ScoredPieces.from_frame(pd.DataFrame(rows))


def _draws(name: str, seed: int, resamples: int, pieces: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The drawn pieces (R, P) as indices, and the uniform numbers (R, N) that choose the seeds."""
    drawn_RP = generator_for(seed, "report", name, "pieces").integers(pieces, size=(resamples, pieces))
    return drawn_RP, generator_for(seed, "report", name, "seeds").random((resamples, most))


def _loop(scored: ScoredPieces, metric: Metric, variant: str, seeds: list[int], draws: tuple) -> list[float]:
    """The metric in every resample, one number after the other."""
    values = []
    rows = scored.seeds(variant)
    for drawn_P, uniform_N in zip(*draws, strict=True):
        total = steps = 0.0
        for n in range(len(seeds)):
            row = rows[seeds[int(uniform_N[n] * len(seeds))]]
            for p in drawn_P:
                total += scored.sums[metric.column][row, p]
                steps += scored.steps_P[p]
        mean = total / steps
        values.append({"log_likelihood": mean, "accuracy": 100 * mean, "perplexity": np.exp(-mean),
                       "bits_per_character": -mean / np.log(2)}[metric.name])  # fmt: skip
    return values


@pytest.mark.parametrize("metric", [LOG_LIKELIHOOD, ACCURACY, PERPLEXITY, BITS], ids=lambda m: m.name)
def test_values_and_differences_equal_plain_loops(metric):
    scored = _scored({"plain": [3, 1, 2], "other": [1, 2, 3]})
    bootstrap = Bootstrap(scored, "corpus", seed=4, resamples=60)
    draws = _draws("corpus", 4, 60, 7, 3)
    plain, other = (_loop(scored, metric, variant, [1, 2, 3], draws) for variant in ("plain", "other"))
    value = bootstrap.value(metric, "plain")
    assert (value.low, value.high) == pytest.approx(tuple(np.percentile(plain, [2.5, 97.5])), rel=1e-12)
    gains = np.subtract(other, plain) * (1 if metric in (LOG_LIKELIHOOD, ACCURACY) else -1)
    difference = bootstrap.difference(metric, "other", "plain")
    assert (difference.low, difference.high) == pytest.approx(tuple(np.percentile(gains, [2.5, 97.5])), rel=1e-9)
    steps = scored.steps_P.sum()
    pooled = np.mean([scored.sums[metric.column][row].sum() / steps for row in scored.seeds("plain").values()])
    assert value.value == pytest.approx(float(metric.link(pooled)), rel=1e-12)


def test_a_seed_that_only_one_has_is_dropped_and_counted():
    scored = _scored({"plain": [1, 2, 3], "other": [2, 3, 4, 5]})
    difference = Bootstrap(scored, "c", resamples=50).difference(LOG_LIKELIHOOD, "other", "plain")
    assert (difference.seeds, difference.dropped) == (2, 3)
    loops = [_loop(scored, LOG_LIKELIHOOD, v, [2, 3], _draws("c", 0, 50, 7, 4)) for v in ("other", "plain")]
    gains = np.subtract(*loops)
    assert (difference.low, difference.high) == pytest.approx(tuple(np.percentile(gains, [2.5, 97.5])), rel=1e-9)


def test_an_effect_is_the_mean_over_its_pairs():
    scored = _scored({"SGD": [1, 2], "SGD+C": [1, 2], "SGD+L": [1, 2], "SGD+CL": [1, 2], "SGD+CR": [9]})
    pairs = [("SGD", "SGD+C"), ("SGD+L", "SGD+CL"), ("SGD+R", "SGD+CR")]
    effect = Bootstrap(scored, "c", resamples=50).effect(LOG_LIKELIHOOD, pairs)
    draws = _draws("c", 0, 50, 7, 2)
    loops = {v: np.array(_loop(scored, LOG_LIKELIHOOD, v, [1, 2], draws)) for v in ("SGD", "SGD+C", "SGD+L", "SGD+CL")}
    mean_R = (loops["SGD+C"] - loops["SGD"] + loops["SGD+CL"] - loops["SGD+L"]) / 2
    assert (effect.low, effect.high) == pytest.approx(tuple(np.percentile(mean_R, [2.5, 97.5])), rel=1e-9)
    assert [pair[:2] for pair in effect.pairs] == pairs[:2]
    assert effect.value == pytest.approx(np.mean([pair[2] for pair in effect.pairs]))


def test_the_spread_of_the_resamples_has_its_closed_form():
    """With equal steps and crossed draws, the variance of the resampled mean is
    sum(a^2)/N^2 + sum(b^2)/P^2 + sum(g^2)/(N P)^2 for seed effects a, piece effects b and their interaction g.
    """
    rng = np.random.default_rng(1)
    seeds, pieces = 6, 9
    x_NP = rng.normal(0, 1, (seeds, pieces)) + rng.normal(0, 1, (seeds, 1)) + rng.normal(0, 2, pieces)
    scored = ScoredPieces.from_frame(pd.DataFrame(_rows("v", list(range(seeds)), x_NP, np.ones(pieces, int))))
    a_N, b_P = x_NP.mean(1) - x_NP.mean(), x_NP.mean(0) - x_NP.mean()
    g_NP = x_NP - x_NP.mean() - a_N[:, None] - b_P
    variance = (a_N**2).sum() / seeds**2 + (b_P**2).sum() / pieces**2 + (g_NP**2).sum() / (seeds * pieces) ** 2
    bootstrap = Bootstrap(scored, "c", resamples=40_000)
    _, values_R = bootstrap._pooled(LOG_LIKELIHOOD, list(range(seeds)))
    assert values_R.var() == pytest.approx(variance, rel=0.03)
    assert values_R.mean() == pytest.approx(x_NP.mean(), abs=0.02)


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_error_of_an_estimate_is_in_the_spread(seeds):
    """A resample draws trial k m_k times, with the same error each time: the variance of the mean of the errors is
    e^2 E[sum(m_k^2)] / N^2 = e^2 (2 N - 1) / N^2.
    """
    steps_P, error = np.arange(1, 10), 0.3
    rows = _rows("v", list(range(seeds)), np.tile(-8.0 * steps_P, (seeds, 1)), steps_P, error)
    scored = ScoredPieces.from_frame(pd.DataFrame(rows))
    bootstrap = Bootstrap(scored, "c", resamples=40_000)
    value, values_R = bootstrap._pooled(LOG_LIKELIHOOD, list(range(seeds)))
    assert value == pytest.approx(-8)
    assert values_R.mean() == pytest.approx(-8, abs=0.01)
    assert values_R.var() == pytest.approx(error**2 * (2 * seeds - 1) / seeds**2, rel=0.03)
    estimate = bootstrap.value(LOG_LIKELIHOOD, "v")
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * values_R.std(), rel=0.03)


def test_an_estimate_moves_no_number_of_an_exact_one():
    exact = _scored({"plain": [1, 2], "other": [1, 2]}, pieces=9)
    rng, steps_P = np.random.default_rng(3), exact.steps_P
    rows = [row for variant in ("plain", "other") for row in _rows(
        variant, [1, 2], exact.sums["log_likelihood"][list(exact.seeds(variant).values())], steps_P)]  # fmt: skip
    rows += _rows("estimated", [1, 2], -7 * steps_P + rng.normal(0, 1, (2, 9)), steps_P, 0.5)
    both = Bootstrap(ScoredPieces.from_frame(pd.DataFrame(rows)), "c", resamples=300)
    alone = Bootstrap(exact, "c", resamples=300)
    assert both.value(LOG_LIKELIHOOD, "plain") == alone.value(LOG_LIKELIHOOD, "plain")
    mine, theirs = (each.difference(LOG_LIKELIHOOD, "other", "plain") for each in (both, alone))
    assert mine == theirs
    between = both.difference(LOG_LIKELIHOOD, "estimated", "plain")
    assert between.high - between.low > 1.5, "the error of either is in their difference"
    accuracy = both.value(ACCURACY, "estimated")
    assert accuracy.high - accuracy.low < 0.1 * (between.high - between.low), "and in no other metric"


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(2)
    covered = 0
    for run in range(300):
        pieces_P = rng.normal(0, 1, 40)
        x_NP = pieces_P + rng.normal(0, 0.3, (12, 1)) + rng.normal(0, 0.3, (12, 40))
        scored = ScoredPieces(
            np.ones(40), tuple(("v", n) for n in range(12)), {"log_likelihood": x_NP}, np.zeros((12, 40))
        )
        estimate = Bootstrap(scored, str(run), resamples=400).value(LOG_LIKELIHOOD, "v")
        covered += estimate.low <= 0 <= estimate.high
    assert 0.90 <= covered / 300 <= 0.98


def test_pairing_makes_differences_narrow():
    scored = _scored({"plain": [1, 2, 3], "other": [1, 2, 3]}, pieces=30)
    bootstrap = Bootstrap(scored, "c", resamples=500)
    value, difference = bootstrap.value(LOG_LIKELIHOOD, "other"), bootstrap.difference(LOG_LIKELIHOOD, "other", "plain")
    assert difference.high - difference.low < 0.8 * (value.high - value.low)
    itself = bootstrap.difference(LOG_LIKELIHOOD, "other", "other")
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)


def test_the_numbers_belong_to_the_seed_and_the_name():
    scored = _scored({"v": [1, 2, 3]})
    first, again = (Bootstrap(scored, "c", seed=1, resamples=200).value(LOG_LIKELIHOOD, "v") for _ in range(2))
    assert first == again
    assert first != Bootstrap(scored, "c", seed=2, resamples=200).value(LOG_LIKELIHOOD, "v")
    assert first != Bootstrap(scored, "d", seed=1, resamples=200).value(LOG_LIKELIHOOD, "v")


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    scored = _scored({"v": [1, 2, 3]})
    whole = Bootstrap(scored, "c", resamples=100).value(LOG_LIKELIHOOD, "v")
    monkeypatch.setattr(statistics, "_BLOCK", 7 * 13)
    assert Bootstrap(scored, "c", resamples=100).value(LOG_LIKELIHOOD, "v") == whole


def test_drawn_weights_are_counts():
    weights_RP = draw_pieces(np.random.default_rng(0), 500, 6)
    assert weights_RP.shape == (500, 6)
    assert (weights_RP.sum(1) == 6).all()
    assert weights_RP.mean(0) == pytest.approx(np.ones(6), abs=0.15)
    assert percentile_interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


def test_one_seed_leaves_the_pieces_and_one_piece_the_seeds():
    one_seed = Bootstrap(_scored({"v": [1]}), "c", resamples=200).value(LOG_LIKELIHOOD, "v")
    assert one_seed.low < one_seed.value < one_seed.high
    one_piece = Bootstrap(_scored({"v": [1, 2, 3]}, pieces=1), "c", resamples=200).value(LOG_LIKELIHOOD, "v")
    assert one_piece.low < one_piece.value < one_piece.high


def test_where_nothing_varies_there_is_no_interval():
    alone = Bootstrap(_scored({"v": [1]}, pieces=1), "c", resamples=50).value(LOG_LIKELIHOOD, "v")
    assert np.isfinite(alone.value)
    assert np.isnan([alone.low, alone.high]).all()
    assert not alone.decided


def test_without_scores_there_is_no_number():
    bootstrap = Bootstrap(_scored({"v": [1, 2], "w": [3]}), "c", resamples=50)
    assert np.isnan(bootstrap.value(LOG_LIKELIHOOD, "absent").value)
    unpaired = bootstrap.difference(LOG_LIKELIHOOD, "v", "w")
    assert np.isnan(unpaired.value)
    assert (unpaired.seeds, unpaired.dropped) == (0, 3)
    assert np.isnan(bootstrap.effect(LOG_LIKELIHOOD, [("v", "w")]).value)
    columns = ["variant", "seed", "piece", "steps", "log_likelihood", "accuracy", "union_accuracy", "success",
               "log_likelihood_error"]  # fmt: skip
    nothing = _rows("v", [], np.zeros((0, 2)), np.ones(2))
    empty = ScoredPieces.from_frame(pd.DataFrame(nothing, columns=columns))
    assert np.isnan(Bootstrap(empty, "c", resamples=50).value(LOG_LIKELIHOOD, "v").value)


def test_a_sum_that_is_not_finite_is_no_score():
    scored = _scored({"v": [1, 2], "w": [1, 2]})
    scored.sums["log_likelihood"] = scored.sums["log_likelihood"].copy()
    scored.sums["log_likelihood"][0, 0] = -np.inf
    bootstrap = Bootstrap(scored, "c", resamples=50)
    assert np.isnan(bootstrap.value(LOG_LIKELIHOOD, "v").value)
    assert np.isfinite(bootstrap.value(LOG_LIKELIHOOD, "w").value)


def test_trials_scored_on_other_pieces_are_refused():
    rows = _rows("v", [1, 2], np.ones((2, 3)), np.array([4, 5, 6]))
    with pytest.raises(CampaignError, match="v, seed 2: not scored once on the same"):
        ScoredPieces.from_frame(pd.DataFrame(rows[:-1]))
    with pytest.raises(CampaignError, match="seed 2"):
        ScoredPieces.from_frame(pd.DataFrame([*rows, rows[-1]]))
