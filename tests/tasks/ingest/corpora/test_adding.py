"""The adding task: synthetic sequences fit the definition, values have its moments, and a digest is pinned."""

import numpy as np
import pytest

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.corpora.adding import ADDING


@pytest.fixture(scope="module", params=ADDING[:2], ids=lambda recipe: recipe.name)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    recipe = request.param
    made: Corpus = recipe.build(recipe.read_inputs(), lambda *_: None, map)
    return made


def test_every_sequence_is_one_of_the_definition(corpus: Corpus) -> None:
    lag, places = corpus.source["lag"], []
    for piece in (piece for split in SPLITS for piece in corpus.splits[split]):
        assert piece.shape == (lag + 1, 3)
        values, markers, answers = piece.T.tolist()
        first, second = (t for t, marker in enumerate(markers) if marker == 1)
        assert set(markers) == {0.0, 1.0}
        assert answers[:-1] == [0.0] * lag
        assert answers[-1] == pytest.approx((values[first] + values[second]) / 2, rel=1e-6)
        assert values[-1] == markers[-1] == 0
        places.append((first, second))
    firsts, seconds = ({place[k] for place in places} for k in (0, 1))
    assert firsts == set(range(lag // 10))
    assert seconds == set(range(lag // 10, lag // 2))


def test_values_are_uniform_and_answers_have_the_moments_of_a_mean_of_two(corpus: Corpus) -> None:
    pieces = np.stack(corpus.splits["train"]).astype(np.float64)
    values, answers = pieces[:, :-1, 0].ravel(), pieces[:, -1, 2]
    assert 0 <= values.min() < values.max() < 1
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    share = 1 / 20
    assert np.abs(counts / len(values) - share).max() < 4.5 * (share * (1 - share) / len(values)) ** 0.5
    deviation = (1 / 24) ** 0.5
    assert abs(answers.mean() - 0.5) < 4.5 * deviation / len(answers) ** 0.5
    assert answers.std() == pytest.approx(deviation, rel=0.05)


def test_the_digest_is_pinned() -> None:
    recipe = ADDING[0]
    made = recipe.build(recipe.read_inputs(), lambda *_: None, map)
    assert made.digest == "64d64e4a5eb9f3ac51816bd3e500f98c0f6bf7343fe1cef6de96c044eb1c0d0e"
