"""The file of the literature: read whole, its corpora, its roundings, and every model of it accounted for."""

import pytest

from tasks.campaign.variant_names import read_names
from tasks.report.numbers.variant_titles import BASELINE
from tasks.report.published import FIRST_FRAME, MODELS, OFFICIAL, is_official, literature
from tasks.report.published.models import NOT_OURS
from tests.tasks.report.published.numbers import number


def test_every_number_is_of_an_official_corpus():
    by_corpus = {corpus: literature(corpus) for corpus in OFFICIAL}
    assert len(literature()) == 373
    assert sum(map(len, by_corpus.values())) == len(literature())
    assert all(by_corpus.values())
    assert literature("songs") == ()


def test_every_model_is_one_of_ours_or_says_why_not():
    named = {each.model for each in literature()}
    assert named == MODELS.keys() | NOT_OURS.keys()
    assert not MODELS.keys() & NOT_OURS.keys()
    assert all(model.variants for model in MODELS.values())
    assert all(NOT_OURS.values())


def test_variants_of_the_table_can_be_trained():
    names = [name for model in MODELS.values() for name in model.variants if not name.startswith(BASELINE)]
    assert [str(variant) for variant, _ in read_names(names)] == names


def test_the_tables_of_the_paper_were_recalled_and_so_was_nothing_else():
    recalled = {each.source for each in literature() if each.confidence == "recalled"}
    assert len(recalled) == 1
    assert recalled.pop().startswith("arXiv:1212.0901, Tables 1 and 2")


@pytest.mark.parametrize(("metric", "value", "rounding"), [
    ("log_likelihood", -8.58, 0.005), ("log_likelihood", -61.0, 0.005), ("accuracy", 22.8, 0.005),
    ("bits_per_character", 1.175, 0.0005), ("bits_per_character", 1.4, 0.005),
    ("perplexity", 134.0, 0.5), ("perplexity", 78.93, 0.005),
])  # fmt: skip
def test_a_number_is_known_to_half_of_its_last_decimal(metric, value, rounding):
    assert number(metric=metric, value=value).rounding == pytest.approx(rounding)


def test_a_corpus_is_official_by_its_name_and_the_steps_of_its_test_split():
    assert is_official("nottingham", {"steps": {"test": 44_463}})
    assert not is_official("nottingham", {"steps": {"test": 44_462}})
    assert not is_official("songs", {"steps": {"test": 44_463}})
    assert not is_official("nottingham", {})


def test_first_frames_are_known_of_every_corpus_that_has_frames():
    frames = {corpus for corpus in OFFICIAL if any(each.first_frame_scored is not None for each in literature(corpus))}
    assert frames == FIRST_FRAME.keys()
