"""Splits that names give: spellings, depths, and every way in which they do not give all."""

import pytest

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS
from tasks.ingest.sources.split_names import NamedSplits, named_splits, splits_by_name


@pytest.mark.parametrize(
    ("split", "spellings"),
    [
        ("train", ["train", "Train", "TRAIN", "training", "Training", "train_set", "trainset", "Training Data"]),
        ("valid", ["valid", "Valid", "val", "validation", "dev", "Development", "dev-set", "VAL"]),
        ("test", ["test", "Test", "testing", "test split"]),
    ],
)
@pytest.mark.parametrize("form", ["{}/a.mid", "x/{}/a.mid", "x/y/{}/z/a.mid"])
def test_folders_in_any_case_and_spelling_at_any_depth(split: str, spellings: list[str], form: str) -> None:
    assert {named_splits(form.format(spelling), text=False) for spelling in spellings} == {(split,)}


@pytest.mark.parametrize(
    "name", ["contest/a.mid", "trains/a.mid", "validated/a.mid", "Train.mid", "latest/a.mid", "testdata/a.mid"]
)
def test_words_that_only_look_like_splits(name: str) -> None:
    assert named_splits(name, text=False) == ()


@pytest.mark.parametrize(
    "name", ["{}.txt", "{}", "wiki.{}.tokens", "mine_{}.txt", "mine-{}.txt", "{}-00000-of-00003.txt", "{}_1.txt"]
)
def test_files_of_text_in_the_usual_forms(name: str) -> None:
    assert [named_splits(name.format(split), text=True) for split in SPLITS] == [(split,) for split in SPLITS]
    assert named_splits("a test.txt", text=True) == named_splits("test of time.txt", text=True) == ()


def test_names_that_give_every_file_its_split() -> None:
    files = ["Train/a", "Train/b", "dev/c", "test/d"]
    splits = {"Train/a": "train", "Train/b": "train", "dev/c": "valid", "test/d": "test"}
    assert splits_by_name("mine", files, text=False) == NamedSplits(splits)
    assert splits_by_name("mine", ["a", "b"], text=False) == NamedSplits()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["train.txt"], "'train.txt' for train, and none is for valid or test;"),
        (["train/a", "test/b"], "'train/a' for train, and none is for valid;"),
        (["train/a", "b"], "'train/a' for train, and none is for valid or test;"),
        (["valid/a", "test/b", "c"], "'valid/a' for valid, and none is for train;"),
    ],
)
def test_a_split_without_a_file_is_told_with_the_way_on(files: list[str], said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        splits_by_name("mine", files, text=True)
    assert said in str(caught.value)
    assert str(caught.value).endswith("give folders or files of those names too, or split by --by-content")


def test_a_file_in_no_split_or_in_two_is_set_aside_where_others_have_theirs() -> None:
    named = splits_by_name("mine", ["train/a", "valid/b", "test/c", "README.md", "train/test/d"], text=False)
    assert named.split_of == {"train/a": "train", "valid/b": "valid", "test/c": "test"}
    assert named.set_aside["README.md"].startswith("in no split, and others are by name")
    assert named.set_aside["train/test/d"].startswith("in two splits")


def test_a_lone_file_called_train_among_others_is_a_word_and_told() -> None:
    named = splits_by_name("mine", ["train.py", "a.txt", "b.txt"], text=True)
    told = "split by content: the name of 'train.py' is not taken for the train split, alone as it is"
    assert named == NamedSplits(told=(told,))


@pytest.mark.parametrize("files", [["songs/b.mid", "program/test/a.mid"], ["dev/a.mid"], ["test/a.mid", "test/b.mid"]])
def test_a_lone_valid_or_test_is_a_word_and_told(files: list[str]) -> None:
    named = splits_by_name("mine", files, text=False)
    assert (named.split_of, named.set_aside) == ({}, {})
    assert named.told[0].startswith("split by content: the name of ")
