"""Temporal order from its definition, a sequence at a time."""

from collections import Counter

import numpy as np
import pytest

from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building.made_up import LAGS, Bits
from tasks.ingest.corpora.temporal_order import CLASSES, DISTRACTORS, TEMPORAL_ORDER, VOCABULARY, draw_sequences


@pytest.fixture(scope="module", params=TEMPORAL_ORDER[:3], ids=lambda recipe: recipe.name)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    recipe = request.param
    made: Corpus = recipe.build(recipe.read_inputs(), lambda *_: None, map)
    return made


def test_every_sequence_is_one_of_the_definition(corpus: Corpus) -> None:
    lag = corpus.source["lag"]
    assert corpus.name == f"temporal-order-{lag}"
    places = []
    for piece in (piece for split in SPLITS for piece in corpus.splits[split]):
        symbols = [corpus.vocabulary[number] for number in piece]
        assert len(symbols) == lag + 1
        signals = [(t, symbol) for t, symbol in enumerate(symbols[:-1]) if symbol in "AB"]
        (first, one), (second, other) = signals
        assert symbols[-1] == one + other
        assert all(symbol in DISTRACTORS for t, symbol in enumerate(symbols[:-1]) if t not in (first, second))
        places.append((first, second))
    firsts, seconds = ({place[k] for place in places} for k in (0, 1))
    assert firsts == set(range(lag // 10, 2 * lag // 10 + 1))
    assert seconds == set(range(4 * lag // 10, 5 * lag // 10 + 1))


def test_classes_distractors_and_places_are_as_likely(corpus: Corpus) -> None:
    pieces = np.stack(corpus.splits["train"])
    for values, options in ((pieces[:, -1], 4), (pieces[:, 0], 4), (pieces[:, -2], 4)):
        counts = list(Counter(values.tolist()).values())
        assert len(counts) == options
        deviation = (len(values) / options * (1 - 1 / options)) ** 0.5
        assert max(abs(count - len(values) / options) for count in counts) < 4.5 * deviation
    # the class is independent of the places
    first = (pieces < 2).argmax(1)
    assert abs(np.corrcoef(first, pieces[:, -1])[0, 1]) < 4.5 / len(pieces) ** 0.5


def test_the_same_seed_gives_the_same_and_another_gives_others() -> None:
    some, again, others = (draw_sequences(50, 20, Bits(seed)) for seed in (1, 1, 2))
    assert np.array_equal(some, again)
    assert not np.array_equal(some, others)
    assert some.dtype == np.int32


def test_the_digest_is_pinned() -> None:
    recipe = TEMPORAL_ORDER[0]
    made = recipe.build(recipe.read_inputs(), lambda *_: None, map)
    assert made.digest == "2759105869ecfa0e5c981f00c11e2829374f86779c3b6fe1ee0568941b4a7b75"
    assert [len(made.splits[split]) for split in SPLITS] == [10_000, 1_000, 1_000]


def test_there_is_a_corpus_for_each_lag() -> None:
    assert [recipe.name for recipe in TEMPORAL_ORDER] == [f"temporal-order-{lag}" for lag in LAGS]
    assert VOCABULARY[-4:] == CLASSES
