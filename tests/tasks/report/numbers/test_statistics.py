"""The bootstrap against plain loops, closed forms, coverage on simulated data, and cases at the edge.

Shape letters: R resamples, Q pieces, N seeds.
"""

import numpy as np
import pandas as pd
import pytest

from infra.errors import CampaignError
from tasks.report.numbers import statistics
from tasks.report.numbers.metrics import METRICS, Metric
from tasks.report.numbers.resamples import Scales, numpy_generator
from tasks.report.numbers.scored import ScoredPieces
from tasks.report.numbers.statistics import Bootstrap

LOG_LIKELIHOOD, ACCURACY, _ = METRICS["music"]
(PERPLEXITY,) = METRICS["words"]
(BITS,) = METRICS["characters"]


PLACES = [(0, 1), (0, 2), (0, 3)]
STUDIES = [(0, 1), (0, 2), (1, 1), (1, 4), (2, 9)]


def _rows(
    variant: str, places: list[tuple[int, int]], sums_KQ: np.ndarray, steps_Q: np.ndarray, error: float = np.nan
) -> list[dict]:
    return [
        {"variant": variant, "study": study, "seed": seed, "piece": f"p{p}", "steps": int(steps_Q[p]),
         "log_likelihood": row[p], "accuracy": abs(row[p]) / 100, "union_accuracy": np.nan, "success": np.nan,
         "log_likelihood_error": error * steps_Q[p]}
        for (study, seed), row in zip(places, sums_KQ, strict=True)
        for p in range(len(steps_Q))
    ]  # fmt: skip


def _scored(variants: dict[str, list[tuple[int, int]]], pieces: int = 7, seed: int = 0) -> ScoredPieces:
    rng = np.random.default_rng(seed)
    steps_Q = rng.integers(5, 40, pieces)
    level_Q = rng.normal(-8, 1, pieces)
    rows = []
    for variant, places in variants.items():
        trials = len(places)
        sums_KQ = steps_Q * (level_Q + rng.normal(0, 0.2, (trials, 1)) + rng.normal(0, 0.1, (trials, pieces)))
        rows += _rows(variant, places, sums_KQ, steps_Q)
    return ScoredPieces.from_frame(pd.DataFrame(rows))


def test_a_contrast_of_two_variants_at_the_same_places_is_their_difference():
    scored = _scored({"A": STUDIES, "B": STUDIES})
    bootstrap = Bootstrap(scored, "corpus", seed=4, resamples=60)
    places = sorted(scored.places("A"))
    for metric in (LOG_LIKELIHOOD, BITS, PERPLEXITY):
        made = bootstrap.contrast(metric, [(1.0, "B", places), (-1.0, "A", places)], "difference", "A", "B")
        paired = bootstrap.difference(metric, "B", "A")
        assert (made.value, made.low, made.high) == pytest.approx((paired.value, paired.low, paired.high))


def _seeds(*seeds: int) -> list[tuple[int, int]]:
    return [(0, seed) for seed in seeds]


def _link(metric: Metric, mean: float) -> float:
    return {"log_likelihood": mean, "accuracy": 100 * mean, "perplexity": np.exp(-mean),
            "bits_per_character": -mean / np.log(2)}[metric.name]  # fmt: skip


def _loop(
    scored: ScoredPieces, metric: Metric, variant: str, units: list[list[tuple[int, int]]], of: str, *named: str,
    resamples: int = 60, places: list = STUDIES,
) -> list[float]:  # fmt: skip
    """The metric in every resample, one number after the other; `units` are the trials of each study or seed."""
    pieces = len(scored.steps_Q)
    drawn_RQ = numpy_generator(4, "report", "corpus", "pieces").integers(pieces, size=(resamples, pieces))
    everything = sorted({study for study, _ in places}) if of == "studies" else sorted(places)
    columns = [everything.index(unit[0][0] if of == "studies" else unit[0]) for unit in units]
    normal_RN = numpy_generator(4, "report", "corpus", of).standard_normal((resamples, len(everything)))[:, columns]
    scales = Scales.draw(numpy_generator(4, "report", "corpus", "scales", *named), resamples, pieces, len(units))
    rows, values = scored.places(variant), []

    def means(drawn: np.ndarray) -> list[float]:
        return [
            np.mean([sum(scored.sums[metric.column][rows[place], p] for p in drawn) for place in unit])
            / sum(scored.steps_Q[p] for p in drawn)
            for unit in units
        ]

    measured = means(np.arange(pieces))
    mean = np.mean(measured)
    for r in range(resamples):
        value = mean + scales.pieces_R[r] * (np.mean(means(drawn_RQ[r])) - mean)
        chi2 = scales.squares_RN[r, len(units) - 2]
        for n, each in enumerate(measured):
            value += normal_RN[r, n] * (each - mean) / np.sqrt(len(units) * chi2)
        values.append(_link(metric, value))
    return values


def _ends(values: np.ndarray) -> tuple[float, float]:
    return tuple(np.percentile(values, [2.5, 97.5]))


@pytest.mark.parametrize("metric", [LOG_LIKELIHOOD, ACCURACY, PERPLEXITY, BITS], ids=lambda m: m.name)
@pytest.mark.parametrize("of", ["seeds", "studies"])
def test_values_and_differences_equal_plain_loops(metric, of):
    places, units = {
        "seeds": (PLACES, [[place] for place in PLACES]),
        "studies": (STUDIES, [STUDIES[:2], STUDIES[2:4], STUDIES[4:]]),
    }[of]
    scored = _scored({"plain": places[::-1], "other": places})
    bootstrap = Bootstrap(scored, "corpus", seed=4, resamples=60)
    value = bootstrap.value(metric, "plain")
    looped = _loop(scored, metric, "plain", units, of, "value", "plain", places=places)
    assert (value.low, value.high) == pytest.approx(_ends(np.clip(looped, *metric.limits)), rel=1e-9)
    plain, other = (
        np.array(_loop(scored, metric, variant, units, of, "difference", "other", "plain", places=places))
        for variant in ("plain", "other")
    )
    gains = (other - plain) * (1 if metric in (LOG_LIKELIHOOD, ACCURACY) else -1)
    difference = bootstrap.difference(metric, "other", "plain")
    assert (difference.low, difference.high) == pytest.approx(_ends(gains), rel=1e-7)
    steps, rows = scored.steps_Q.sum(), scored.places("plain")
    pooled = np.mean([np.mean([scored.sums[metric.column][rows[k]].sum() / steps for k in unit]) for unit in units])
    assert value.value == pytest.approx(float(metric.link(pooled)), rel=1e-12)


def test_a_seed_that_only_one_has_is_dropped_and_counted():
    scored = _scored({"plain": _seeds(1, 2, 3), "other": _seeds(2, 3, 4, 5)})
    difference = Bootstrap(scored, "corpus", seed=4, resamples=60).difference(LOG_LIKELIHOOD, "other", "plain")
    assert (difference.seeds, difference.dropped, difference.studies) == (2, 3, 1)
    units = [[(0, 2)], [(0, 3)]]
    loops = [
        _loop(scored, LOG_LIKELIHOOD, v, units, "seeds", "difference", "other", "plain", places=_seeds(1, 2, 3, 4, 5))
        for v in ("other", "plain")
    ]
    assert (difference.low, difference.high) == pytest.approx(_ends(np.subtract(*loops)), rel=1e-9)


def test_a_study_that_only_one_has_is_no_part_of_the_difference():
    """With two studies in common those are the units; with one its seeds are, and one study is told."""
    three, two, one = [(0, 1), (0, 2), (1, 1), (2, 1)], [(0, 1), (0, 2), (2, 1)], [(0, 1), (0, 2), (1, 3)]
    scored = _scored({"plain": three, "other": two, "lost": one})
    bootstrap = Bootstrap(scored, "corpus", seed=4, resamples=60)
    difference = bootstrap.difference(LOG_LIKELIHOOD, "other", "plain")
    assert (difference.studies, difference.seeds, difference.dropped) == (2, 3, 1)
    named, units = ("difference", "other", "plain"), [[(0, 1), (0, 2)], [(2, 1)]]
    loops = [_loop(scored, LOG_LIKELIHOOD, v, units, "studies", *named, places=three) for v in ("other", "plain")]
    assert (difference.low, difference.high) == pytest.approx(_ends(np.subtract(*loops)), rel=1e-9)
    alone = bootstrap.difference(LOG_LIKELIHOOD, "lost", "plain")
    assert (alone.studies, alone.seeds, alone.dropped) == (1, 2, 3)
    assert alone.low < alone.value < alone.high
    assert bootstrap.effect(LOG_LIKELIHOOD, [("plain", "lost")]).studies == (1,)


def test_an_effect_is_the_mean_over_its_pairs():
    scored = _scored({"SGD": PLACES, "SGD+C": PLACES, "SGD+L": PLACES, "SGD+CL": PLACES, "SGD+CR": _seeds(9)})
    pairs = [("SGD", "SGD+C"), ("SGD+L", "SGD+CL"), ("SGD+R", "SGD+CR")]
    effect = Bootstrap(scored, "corpus", seed=4, resamples=60).effect(LOG_LIKELIHOOD, pairs)
    named, units = ("effect", "SGD", "SGD+C", "SGD+L", "SGD+CL"), [[place] for place in PLACES]
    loops = {
        v: np.array(_loop(scored, LOG_LIKELIHOOD, v, units, "seeds", *named, places=[*PLACES, (0, 9)]))
        for v in ("SGD", "SGD+C", "SGD+L", "SGD+CL")
    }
    mean_R = (loops["SGD+C"] - loops["SGD"] + loops["SGD+CL"] - loops["SGD+L"]) / 2
    assert (effect.low, effect.high) == pytest.approx(_ends(mean_R), rel=1e-9)
    assert [pair[:2] for pair in effect.pairs] == pairs[:2]
    assert effect.value == pytest.approx(np.mean([pair[2] for pair in effect.pairs]))


def test_a_pair_that_is_less_replicated_than_others_is_no_part_of_an_effect():
    both = {"SGD": STUDIES, "SGD+C": STUDIES}
    scored = _scored(both | {"SGD+L": STUDIES, "SGD+CL": [(0, 1), (0, 2)]})
    bootstrap = Bootstrap(scored, "c", resamples=50)
    pairs = [("SGD", "SGD+C"), ("SGD+L", "SGD+CL")]
    effect = bootstrap.effect(LOG_LIKELIHOOD, pairs)
    assert [pair[:2] for pair in effect.pairs] == pairs[:1]
    assert (effect.studies, effect.seeds) == ((3,), (5,))
    assert [pair[:2] for pair in bootstrap.effect(LOG_LIKELIHOOD, pairs[1:]).pairs] == pairs[1:]


def test_the_spread_of_the_resamples_has_its_closed_form():
    """With equal steps the variance of a resampled mean is s^2/N (N-1)/(N-3), of the units and again of the pieces."""
    rng = np.random.default_rng(1)
    studies, pieces = 9, 12
    x_KQ = rng.normal(0, 1, (2 * studies, pieces)) + rng.normal(0, 1, (2 * studies, 1)) + rng.normal(0, 2, pieces)
    places = [(study, seed) for study in range(studies) for seed in range(2)]
    scored = ScoredPieces.from_frame(pd.DataFrame(_rows("v", places, x_KQ, np.ones(pieces, int))))
    variance = sum(
        means.var(ddof=1) / number * (number - 1) / (number - 3)
        for means, number in ((x_KQ.reshape(studies, -1).mean(1), studies), (x_KQ.mean(0), pieces))
    )
    estimate = Bootstrap(scored, "c", resamples=40_000).value(LOG_LIKELIHOOD, "v")
    assert estimate.draws_R.var() == pytest.approx(variance, rel=0.04)
    assert estimate.draws_R.mean() == pytest.approx(x_KQ.mean(), abs=0.02)


def test_the_order_of_studies_and_of_seeds_within_them_tells_nothing():
    def with_places(places: list[tuple[int, int]]) -> Bootstrap:
        rng, steps_Q = np.random.default_rng(5), np.arange(3, 9)
        rows = []
        for variant in ("plain", "other"):
            rows += _rows(variant, places, steps_Q * rng.normal(-8, 1, (4, 6)), steps_Q)
        return Bootstrap(ScoredPieces.from_frame(pd.DataFrame(rows)), "c", resamples=20_000)

    first = with_places([(0, 1), (0, 2), (1, 1), (2, 1)]).difference(LOG_LIKELIHOOD, "other", "plain")
    seeds = with_places([(0, 2), (0, 1), (1, 1), (2, 1)]).difference(LOG_LIKELIHOOD, "other", "plain")
    studies = with_places([(2, 1), (2, 2), (0, 1), (1, 1)]).difference(LOG_LIKELIHOOD, "other", "plain")
    assert (seeds.value, seeds.low, seeds.high) == pytest.approx((first.value, first.low, first.high), rel=1e-9)
    assert studies.value == pytest.approx(first.value, rel=1e-9)
    assert studies.high - studies.low == pytest.approx(first.high - first.low, rel=0.1)


def test_comparisons_share_pieces_and_multipliers_and_not_their_scales():
    """Two variants with the same scores: their values are drawn apart, yet their difference is exactly nothing."""
    rng, steps_Q = np.random.default_rng(6), np.full(30, 5)
    sums_KQ = steps_Q * rng.normal(-8, 1, (3, 30))
    rows = [row for variant in ("a", "b") for row in _rows(variant, [(0, 1), (1, 1), (2, 1)], sums_KQ, steps_Q)]
    bootstrap = Bootstrap(ScoredPieces.from_frame(pd.DataFrame(rows)), "c", resamples=500)
    first, second = (bootstrap.value(LOG_LIKELIHOOD, variant).draws_R for variant in ("a", "b"))
    assert 0.2 < np.corrcoef(np.argsort(np.argsort(first)), np.argsort(np.argsort(second)))[0, 1] < 0.99
    nothing = bootstrap.difference(LOG_LIKELIHOOD, "a", "b")
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)


def test_a_difference_is_the_same_from_either_side():
    bootstrap = Bootstrap(_scored({"a": STUDIES, "b": STUDIES}), "c", resamples=300)
    there, back = bootstrap.difference(PERPLEXITY, "a", "b"), bootstrap.difference(PERPLEXITY, "b", "a")
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


def test_two_studies_reach_far_and_every_number_stays_finite():
    steps_Q = np.full(4, 5)
    rows = _rows("v", [(0, 1), (1, 1)], steps_Q * np.array([[-4.0], [-9.0]]) * np.ones(4), steps_Q)
    rows += _rows("w", [(0, 1), (1, 1)], steps_Q * np.array([[-5.0], [-5.1]]) * np.ones(4), steps_Q)
    bootstrap = Bootstrap(ScoredPieces.from_frame(pd.DataFrame(rows)), "c", resamples=5000)
    for estimate in (bootstrap.value(PERPLEXITY, "v"), bootstrap.difference(PERPLEXITY, "v", "w")):
        assert np.isfinite(estimate.draws_R).all()
        assert estimate.low < estimate.value < estimate.high
    accuracy = bootstrap.value(ACCURACY, "v")
    assert accuracy.low == 0 < accuracy.value < accuracy.high, "a share is not negative"


@pytest.mark.parametrize("seeds", [1, 4])
def test_the_error_of_an_estimate_is_in_the_spread(seeds):
    """Every trial has an error of its own, drawn once a resample: the variance of their mean is e^2 / N."""
    steps_Q, error = np.arange(1, 10), 0.3
    rows = _rows("v", _seeds(*range(seeds)), np.tile(-8.0 * steps_Q, (seeds, 1)), steps_Q, error)
    estimate = Bootstrap(ScoredPieces.from_frame(pd.DataFrame(rows)), "c", resamples=40_000).value(LOG_LIKELIHOOD, "v")
    assert estimate.value == pytest.approx(-8)
    assert estimate.draws_R.mean() == pytest.approx(-8, abs=0.01)
    assert estimate.draws_R.var() == pytest.approx(error**2 / seeds, rel=0.03)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * estimate.draws_R.std(), rel=0.03)


def test_an_estimate_moves_no_number_of_an_exact_one():
    exact = _scored({"plain": _seeds(1, 2), "other": _seeds(1, 2)}, pieces=9)
    rng, steps_Q = np.random.default_rng(3), exact.steps_Q
    sums = {
        variant: exact.sums["log_likelihood"][list(exact.places(variant).values())] for variant in ("plain", "other")
    }
    rows = [row for variant in sums for row in _rows(variant, _seeds(1, 2), sums[variant], steps_Q)]
    estimated = _seeds(1, 2), -7 * steps_Q + rng.normal(0, 1, (2, 9)), steps_Q
    both, without = (
        Bootstrap(
            ScoredPieces.from_frame(pd.DataFrame(rows + _rows("estimated", *estimated, error))), "c", resamples=300
        )
        for error in (0.5, np.nan)
    )
    alone = Bootstrap(exact, "c", resamples=300)
    assert both.value(LOG_LIKELIHOOD, "plain") == alone.value(LOG_LIKELIHOOD, "plain")
    mine, theirs = (each.difference(LOG_LIKELIHOOD, "other", "plain") for each in (both, alone))
    assert mine == theirs
    between = both.difference(LOG_LIKELIHOOD, "estimated", "plain")
    assert between.high - between.low > 1.5, "the error of either is in their difference"
    assert both.value(ACCURACY, "estimated") == without.value(ACCURACY, "estimated"), "and in no other metric"


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """Three studies of two seeds, where the luck of the search is most of it; benchmarks/coverage.py has the rest."""
    rng, trials = np.random.default_rng(2), tuple(("v", k // 2, k % 2) for k in range(6))
    covered = 0
    for run in range(300):
        luck_K1 = np.repeat(rng.normal(0, 0.5, 3), 2)[:, None]
        x_KQ = rng.normal(0, 1, 20) + luck_K1 + rng.normal(0, 0.2, (6, 1)) + rng.normal(0, 0.3, (6, 20))
        scored = ScoredPieces(np.ones(20), trials, {"log_likelihood": x_KQ}, np.zeros((6, 20)))
        estimate = Bootstrap(scored, str(run), resamples=300).value(LOG_LIKELIHOOD, "v")
        covered += estimate.low <= 0 <= estimate.high
    assert 0.91 <= covered / 300 <= 0.99


def test_pairing_makes_differences_narrow():
    scored = _scored({"plain": PLACES, "other": PLACES}, pieces=30)
    bootstrap = Bootstrap(scored, "c", resamples=500)
    value, difference = bootstrap.value(LOG_LIKELIHOOD, "other"), bootstrap.difference(LOG_LIKELIHOOD, "other", "plain")
    assert difference.high - difference.low < 0.8 * (value.high - value.low)


def test_the_numbers_belong_to_the_seed_and_the_name():
    scored = _scored({"v": PLACES})
    first, again = (Bootstrap(scored, "c", seed=1, resamples=200).value(LOG_LIKELIHOOD, "v") for _ in range(2))
    assert first == again
    assert first != Bootstrap(scored, "c", seed=2, resamples=200).value(LOG_LIKELIHOOD, "v")
    assert first != Bootstrap(scored, "d", seed=1, resamples=200).value(LOG_LIKELIHOOD, "v")


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    scored = _scored({"v": PLACES})
    whole = Bootstrap(scored, "c", resamples=100).value(LOG_LIKELIHOOD, "v")
    monkeypatch.setattr(statistics, "_BLOCK", 7 * 13)
    assert Bootstrap(scored, "c", resamples=100).value(LOG_LIKELIHOOD, "v") == whole


def test_one_seed_leaves_the_pieces_and_one_piece_the_seeds():
    one_seed = Bootstrap(_scored({"v": _seeds(1)}), "c", resamples=200).value(LOG_LIKELIHOOD, "v")
    assert one_seed.low < one_seed.value < one_seed.high
    one_piece = Bootstrap(_scored({"v": PLACES}, pieces=1), "c", resamples=200).value(LOG_LIKELIHOOD, "v")
    assert one_piece.low < one_piece.value < one_piece.high


def test_where_nothing_varies_there_is_no_interval():
    alone = Bootstrap(_scored({"v": _seeds(1)}, pieces=1), "c", resamples=50).value(LOG_LIKELIHOOD, "v")
    assert np.isfinite(alone.value)
    assert np.isnan([alone.low, alone.high]).all()
    assert alone.draws_R is None


def test_without_scores_there_is_no_number():
    bootstrap = Bootstrap(_scored({"v": _seeds(1, 2), "w": _seeds(3)}), "c", resamples=50)
    assert np.isnan(bootstrap.value(LOG_LIKELIHOOD, "absent").value)
    unpaired = bootstrap.difference(LOG_LIKELIHOOD, "v", "w")
    assert np.isnan(unpaired.value)
    assert (unpaired.seeds, unpaired.dropped) == (0, 3)
    assert np.isnan(bootstrap.effect(LOG_LIKELIHOOD, [("v", "w")]).value)
    columns = ["variant", "study", "seed", "piece", "steps", "log_likelihood", "accuracy", "union_accuracy", "success",
               "log_likelihood_error"]  # fmt: skip
    nothing = _rows("v", [], np.zeros((0, 2)), np.ones(2))
    empty = ScoredPieces.from_frame(pd.DataFrame(nothing, columns=columns))
    assert np.isnan(Bootstrap(empty, "c", resamples=50).value(LOG_LIKELIHOOD, "v").value)


def test_a_sum_that_is_not_finite_is_no_score():
    scored = _scored({"v": _seeds(1, 2), "w": _seeds(1, 2)})
    scored.sums["log_likelihood"] = scored.sums["log_likelihood"].copy()
    scored.sums["log_likelihood"][0, 0] = -np.inf
    bootstrap = Bootstrap(scored, "c", resamples=50)
    assert np.isnan(bootstrap.value(LOG_LIKELIHOOD, "v").value)
    assert np.isfinite(bootstrap.value(LOG_LIKELIHOOD, "w").value)


def test_trials_scored_on_other_pieces_are_refused():
    rows = _rows("v", _seeds(1, 2), np.ones((2, 3)), np.array([4, 5, 6]))
    with pytest.raises(CampaignError, match="v, study 0, seed 2: not scored once on the same"):
        ScoredPieces.from_frame(pd.DataFrame(rows[:-1]))
    with pytest.raises(CampaignError, match="seed 2"):
        ScoredPieces.from_frame(pd.DataFrame([*rows, rows[-1]]))
