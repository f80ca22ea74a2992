"""Claims on clipping against rows by hand."""

import pytest

from tasks.report.claims.of_clipping import clipping, exploding
from tests.tasks.report.claims.hand import ease, effect, measured, told

CURVES = [
    {"corpus": "songs", "variant": "rnn/bernoulli/SGD", "epoch": epoch, "largest_norm": leap, "gradient_norm": 2.0}
    for epoch, leap in ((0, 99.0), (1, 4.0), (2, 6.0), (3, 20.0))
]
ASKED = {"songs": ["rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C"], "novels": ["rnn/softmax/SGD", "rnn/softmax/SGD+C"]}


def test_clipping_keeps_from_diverging_and_helps():
    fewer, more = ease("diverged", "C", -18.0, "better"), ease("diverged", "C", 18.0, "worse")
    assert told(clipping(measured(techniques=[fewer]))) == ("supported", ["for"])
    assert told(clipping(measured(techniques=[more], effects=[effect("C", -0.1, 0.1)]))) == (
        "contradicted", ["against", "unclear"]
    )  # fmt: skip
    assert told(clipping(measured(techniques=[ease("diverged", "M", -18.0, "better")])))[0] == "not tried"


def _plain(corpus, diverged, low, high):
    shares = {"diverged": diverged, "diverged_low": low, "diverged_high": high}
    return {"corpus": corpus, "variant": ASKED[corpus][0], "draws": 60} | shares


def _claim(songs, novels, gain_of_songs, gain_of_novels):
    gains = {"songs": gain_of_songs, "novels": gain_of_novels}
    return exploding(
        measured(
            variants=[_plain("songs", *songs), _plain("novels", *novels)],
            techniques=[ease("trained", "C", gain, "undecided", corpus) for corpus, gain in gains.items()],
            frames={"curves": CURVES},
            asked=ASKED,
        )
    )


@pytest.mark.parametrize(("songs", "novels", "gains", "verdict"), [
    ((10, 5, 20), (40, 30, 50), (2.0, 15.0), "supported"),
    ((40, 30, 50), (10, 5, 20), (15.0, 2.0), "supported"),
    ((10, 5, 20), (40, 30, 50), (15.0, 2.0), "contradicted"),
    ((10, 5, 20), (40, 30, 50), (2.0, 2.1), "cannot be told"),
    ((10, 5, 35), (40, 30, 50), (2.0, 15.0), "cannot be told"),  # which of them explodes more is not known
])  # fmt: skip
def test_clipping_does_more_where_more_draws_diverge(songs, novels, gains, verdict):
    (row,) = (claim := _claim(songs, novels, *gains)).evidence
    assert claim.verdict == verdict
    more = "songs" if songs[0] > novels[0] else "novels"
    assert row.corpus == more
    difference = gains[0] - gains[1] if more == "songs" else gains[1] - gains[0]
    assert (row.value, row.low, row.high) == pytest.approx((difference, difference - 0.2, difference + 0.2))


def test_measured_norms_stand_beside_it():
    (row,) = _claim((10, 5, 20), (40, 30, 50), 2.0, 15.0).evidence
    assert row.basis == (
        "plain SGD: on novels 40 % [30, 50] of the draws diverge; on songs 10 % [5, 20] of the draws diverge,"
        " largest norm of an epoch 3.0 times its mean"
    )


def test_one_corpus_is_too_few():
    one = measured(
        variants=[_plain("songs", 40, 30, 50)], techniques=[ease("trained", "C", 9.0, "better")], asked=ASKED
    )
    assert exploding(one).verdict == "not tried"
