"""Splits that names give: spellings, depths, and every way in which they do not give all."""

import pytest

from infra.errors import CorpusError
from tasks.corpus import SPLITS
from tasks.ingest.split_names import named_splits, splits_by_name


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


@pytest.mark.parametrize("name", ["contest/a.mid", "trains/a.mid", "validated/a.mid", "Train.mid", "latest/a.mid"])
def test_words_that_only_look_like_splits(name: str) -> None:
    assert named_splits(name, text=False) == ()


@pytest.mark.parametrize(
    "name", ["{}.txt", "{}", "wiki.{}.tokens", "mine_{}.txt", "mine-{}.txt", "{}-00000-of-00003.txt", "{}_1.txt"]
)
def test_files_of_text_in_the_usual_forms(name: str) -> None:
    assert [named_splits(name.format(split), text=True) for split in SPLITS] == [(split,) for split in SPLITS]
    assert named_splits("a test.txt", text=True) == named_splits("test of time.txt", text=True) == ()


def told(*files: str, text: bool = False) -> str:
    with pytest.raises(CorpusError) as caught:
        splits_by_name("mine", files, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("or split by --by-content")
    return str(caught.value)


def test_names_that_give_every_file_its_split() -> None:
    files = ["Train/a", "Train/b", "dev/c", "test/d"]
    assert splits_by_name("mine", files, text=False) == (
        {"Train/a": "train", "Train/b": "train", "dev/c": "valid", "test/d": "test"},
        [],
    )
    assert splits_by_name("mine", ["a", "b"], text=False) == ({}, [])


def test_names_that_do_not_are_told_with_the_way_on() -> None:
    assert "'train.txt' for train, and none is for valid or test" in told("train.txt", text=True)
    assert "'a/test/b' for test, and none is for train or valid" in told("a/test/b")
    assert "'train/a' for train, and none is for valid;" in told("train/a", "test/b")
    assert "'b' is in no split, and 'train/a' is by name" in told("train/a", "b")
    many = told("train/a", "test/b", "valid/c", "valid/d", *(f"x{number}" for number in range(9)))
    assert "9 files, 'x0', 'x1', 'x2' first, are in no split, and 4 files, 'train/a', 'valid/c'," in many
    assert "'train/test/a' is in two splits" in told("train/test/a", "train/b", "valid/c", "test/d")


@pytest.mark.parametrize("name", ["program/test/a.mid", "dev/a.mid"])
def test_a_lone_valid_or_test_is_a_word_and_told(name: str) -> None:
    splits, said = splits_by_name("mine", ["songs/b.mid", name], text=False)
    assert splits == {}
    assert said[0].startswith(f"split by content: the name of {name!r} is not taken for the ")
