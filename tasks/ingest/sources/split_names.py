"""Splits by name: folders, and text files, that are called train, valid or test.

Any case, the usual spellings and any depth are recognised. Names are followed or refused, never silently ignored. If
they leave a split without a file, that is an error. A file that is in no split, or in two, is set aside. There is one
exception: a single name may be an ordinary word, like the folder `test` or the file `train.py` of a program. So if
valid or test is the only split that names give, or if only some file's own name gives train, the splits are made by
content, and the user is told.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS

_SPELLINGS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev", "devel", "development"),
    "test": ("test", "testing"),
}
_SPLIT_OF = {spelling: split for split, spellings in _SPELLINGS.items() for spelling in spellings}
_SET = re.compile(r"([ _-]?(set|split)|[ _-]data)$")
_PARTS = re.compile(r"[._-]")
_LONGEST = 100


def folder_split(folder: str) -> str | None:
    """The split that a folder's name stands for; None for any other name.

    >>> [folder_split(name) for name in ("Train", "validation", "dev set", "Testing", "contest", "songs")]
    ['train', 'valid', 'valid', 'test', None, None]
    """
    return _SPLIT_OF.get(_SET.sub("", folder.lower()))


def named_splits(name: str, text: bool) -> tuple[str, ...]:
    """The splits that the folders of a file give; for text also the first and the last part of its own name.

    >>> named_splits("a/Val/b.mid", text=False), named_splits("train/test/b.mid", text=False)
    (('valid',), ('train', 'test'))
    >>> [named_splits(name, text=True) for name in ("wiki.train.tokens", "my_test.txt", "dev-01.txt", "a test.txt")]
    [('train',), ('test',), ('valid',), ()]
    """
    *folders, file = name.split("/")
    found = [folder_split(folder) for folder in folders]
    if text:
        stem = re.sub(r"(?<=.)\.[^.]*$", "", file)
        first, *others = _PARTS.split(stem)
        found.append(folder_split(others[-1] if others else first))
        if all(part.isdigit() or part == "of" for part in others):  # train-00000-of-00001
            found.append(folder_split(first))
    return tuple(dict.fromkeys(split for split in found if split is not None))


@dataclass(frozen=True)
class NamedSplits:
    """The splits that names give.

    Attributes:
        split_of: the split of each file that has one; empty if the splits are to be made by content.
        set_aside: the reason for each file without a split of its own, if other files have one.
        told: sentences for the user.
    """

    split_of: Mapping[str, str] = field(default_factory=dict)
    set_aside: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()


NO_NAMED_SPLITS = NamedSplits()


def splits_by_name(corpus: str, files: Iterable[str], text: bool) -> NamedSplits:
    """The splits of some files, by their names.

    Args:
        corpus: name of the corpus, for messages.
        files: names with folders.
        text: whether a file's own name counts too, as it does for text.

    Raises:
        CorpusError: names give splits, but leave one of them without a file.
    """
    given = {file: named_splits(file, text) for file in files}
    named = {split: [file for file in given if given[file] == (split,)] for split in SPLITS}
    found = [split for split in SPLITS if named[split]]
    if not found:
        return NO_NAMED_SPLITS
    example = named[found[0]][0]
    alone = len(found) == 1
    if alone and (found[0] != "train" or _is_word(example, given)):
        taken = f"the name of {example[:_LONGEST]!r} is not taken for the {found[0]} split"
        return NamedSplits(told=(f"split by content: {taken}, alone as it is",))
    if len(found) < len(SPLITS):
        lacking = " or ".join(split for split in SPLITS if split not in found)
        raise CorpusError(
            f"{corpus}: names are taken for splits, {example[:_LONGEST]!r} for {found[0]}, and none is for {lacking};"
            " give folders or files of those names too, or split by --by-content"
        )
    outside = "in no split, and others are by name: move it, or split all by --by-content"
    twice = "in two splits by the folders' names: move it, or split all by --by-content"
    return NamedSplits(
        {file: splits[0] for file, splits in given.items() if len(splits) == 1},
        {file: twice if splits else outside for file, splits in given.items() if len(splits) != 1},
    )


def _is_word(train: str, given: Mapping[str, Sequence[str]]) -> bool:
    """Whether train is only a file's own name among other files, like that of a training script."""
    return not named_splits(train, text=False) and not all(given.values())
