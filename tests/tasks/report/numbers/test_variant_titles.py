"""Names of variants, their order, and the pairs that differ in one technique."""

import pytest

from tasks.report.numbers.variant_titles import (
    Variant,
    is_baseline,
    plain_of,
    short_labels,
    subset_order,
    technique_pairs,
)
from tests.tasks.report.synthetic import SUBSETS

NAMES = [f"rnn/bernoulli/SGD+{letters}" if letters else "rnn/bernoulli/SGD" for letters in SUBSETS]


@pytest.mark.parametrize("name", [*NAMES, "rnn/nade/HF", "lstm/softmax/Adam+C", "SGD"])
def test_a_name_survives_being_parsed(name):
    assert Variant.parse(name).name == name


@pytest.mark.parametrize("letter", "CLRM")
def test_every_technique_has_eight_pairs_in_sixteen_subsets(letter):
    pairs = technique_pairs([*reversed(NAMES), "baseline/uniform", "rnn/nade/SGD+C", "rnn/bernoulli/HF"], letter)
    assert len(pairs) == len({without for without, _ in pairs}) == 8
    for without, with_it in pairs:
        assert set(Variant.parse(with_it).techniques) - set(Variant.parse(without).techniques) == {letter}


def test_order_plain_and_labels():
    backwards = NAMES[::-1]
    assert sorted(backwards, key=subset_order) == NAMES
    assert plain_of("rnn/nade/SGD+CL") == "rnn/nade/SGD"
    assert is_baseline("baseline/unigram")
    labels = short_labels(["rnn/nade/SGD", "rnn/bernoulli/SGD", "baseline/uniform"])
    assert labels == {
        "rnn/nade/SGD": "rnn/nade/SGD", "rnn/bernoulli/SGD": "rnn/bernoulli/SGD", "baseline/uniform": "uniform"
    }  # fmt: skip
    assert short_labels([]) == {}
