"""The draws of units against Student's t and the covariance of the values, those of pieces against counts."""

import numpy as np
import pytest

from tasks.report.numbers.resamples import Scales, draw_pieces, numpy_generator

RESAMPLES = 40_000


def _spread(values: np.ndarray, units: int, seed: int = 0) -> np.ndarray:
    """Draws for the means of the columns of (N, V) values, with the same multipliers and scales."""
    generator = np.random.default_rng(seed)
    scales = Scales.draw(generator, RESAMPLES, 5, units)
    normal_RN = generator.standard_normal((RESAMPLES, len(values)))
    return scales.units_R(units)[:, None] * (normal_RN @ (values - values.mean(0)))


@pytest.mark.parametrize("units", [2, 3, 5])
def test_the_spread_of_a_mean_is_student_t(units, stats):
    values_N = np.random.default_rng(units).normal(3, 2, units)
    draws_R = _spread(values_N[:, None], units)[:, 0] / (values_N.std(ddof=1) / np.sqrt(units))
    assert stats.kstest(draws_R, stats.t(units - 1).cdf).pvalue > 1e-3
    for level in (0.025, 0.1, 0.975):
        assert np.quantile(draws_R, level) == pytest.approx(stats.t(units - 1).ppf(level), rel=0.06)


def test_the_variance_of_the_spread_has_its_closed_form():
    """s^2 / N (N - 1) / (N - 3), and the covariance of two means is that of the values in place of s^2."""
    units = 9
    values = np.random.default_rng(1).normal(0, 1, (units, 2)) @ [[1, 0.7], [0, 0.4]]
    covariance = np.cov(_spread(values, units).T)
    expected = np.cov(values.T) / units * (units - 1) / (units - 3)
    assert covariance == pytest.approx(expected, rel=0.05)


def test_fewer_units_use_fewer_squares_of_the_same_numbers_and_one_has_no_spread():
    scales = Scales.draw(np.random.default_rng(0), 7, 4, 5)
    two, five = scales.squares_RN[:, 0], scales.squares_RN[:, 3]
    assert (two < five).all()
    assert scales.units_R(2) == pytest.approx(1 / np.sqrt(2 * two))
    assert scales.units_R(5) == pytest.approx(1 / np.sqrt(5 * five))
    assert scales.units_R(1).tolist() == [0] * 7


def test_the_scale_of_the_pieces_makes_a_bootstrap_student_t():
    """A bootstrapped mean has the variance (Q - 1) / Q s^2 / Q; scaled it has that of Student's t."""
    pieces = 8
    scale_R = Scales.draw(np.random.default_rng(2), RESAMPLES, pieces, 1).pieces_R
    assert (scale_R**2).mean() == pytest.approx(pieces / (pieces - 3), rel=0.05)
    assert Scales.draw(np.random.default_rng(2), 3, 1, 1).pieces_R.tolist() == [1, 1, 1]


def test_drawn_weights_are_counts():
    weights_RQ = draw_pieces(np.random.default_rng(0), 500, 6)
    assert weights_RQ.shape == (500, 6)
    assert (weights_RQ.sum(1) == 6).all()
    assert weights_RQ.mean(0) == pytest.approx(np.ones(6), abs=0.15)


def test_numbers_belong_to_their_names():
    first, again, other = (numpy_generator(1, *names).random() for names in (("a", "b"), ("a", "b"), ("a", "c")))
    assert first == again != other
    integers = numpy_generator(4, "report", "corpus").integers(2**31, size=3).tolist()
    assert integers == [175885495, 654193625, 878313026], "as in the reports that are published"
