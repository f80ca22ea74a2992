"""Splits that the names of files give: folders, and files of text, that are called train, valid or test.

In any case and in the usual spellings, at any depth. What the names say is kept or refused, never passed over: where
they do not give every file its split, and every split a file, it is an error that says so. One exception is a lone
valid or test among other names, which is a word like any other, as in the folder `test` of a program: the split is then
by content, and it is told.
"""

import re
from collections.abc import Iterable, Sequence

from infra.errors import CorpusError
from tasks.corpus import SPLITS
from tasks.wording import plural

BY_CONTENT = "--by-content"
"""The option that leaves names out of it."""
_SPELLINGS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev", "devel", "development"),
    "test": ("test", "testing"),
}
_SPLIT_OF = {spelling: split for split, spellings in _SPELLINGS.items() for spelling in spellings}
_SET = re.compile(r"[ _-]?(set|split|data)$")
_PARTS = re.compile(r"[._-]")
_SHOWN = 3


def folder_split(folder: str) -> str | None:
    """The split that a folder is called.

    >>> [folder_split(name) for name in ("Train", "validation", "dev set", "Testing", "contest", "songs")]
    ['train', 'valid', 'valid', 'test', None, None]
    """
    return _SPLIT_OF.get(_SET.sub("", folder.lower()))


def named_splits(name: str, text: bool) -> tuple[str, ...]:
    """The splits that the folders of a file's name give; of text also the first and the last part of its own.

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


def splits_by_name(corpus: str, files: Iterable[str], text: bool) -> tuple[dict[str, str], list[str]]:
    """The split of every file by its name, or of none where names give none; and what is to be told.

    Args:
        corpus: its name, for messages.
        files: names with folders.
        text: whether a file's own name counts too.

    Raises:
        CorpusError: only some files are in a split, one is in two, or a split has none.
    """
    given = {file: named_splits(file, text) for file in files}
    named = {split: [file for file in given if split in given[file]] for split in SPLITS}
    found = [split for split in SPLITS if named[split]]
    outside = [file for file in given if not given[file]]
    if not found:
        return {}, []
    if outside and len(found) == 1 and found[0] != "train":
        first = named[found[0]][0]
        told = f"split by content: the name of {first!r} is not taken for the {found[0]} split, for no name says train"
        return {}, [told]
    two = [file for file in given if len(given[file]) > 1]
    if two:
        raise CorpusError(
            f"{corpus}: {_first(two)} in two splits by the folders' names; give each one, or split by {BY_CONTENT}"
        )
    if outside:
        raise CorpusError(
            f"{corpus}: {_first(outside)} in no split, and {_first(_all(named))} by name;"
            f" move them to train, valid or test, take them out, or split by {BY_CONTENT}"
        )
    if empty := [split for split in SPLITS if not named[split]]:
        example, lacking = named[found[0]][0], " or ".join(empty)
        raise CorpusError(
            f"{corpus}: names are taken for splits, {example!r} for {found[0]}, and none is for {lacking};"
            f" give folders or files of those names too, or split by {BY_CONTENT}"
        )
    return {file: splits[0] for file, splits in given.items()}, []


def _all(named: dict[str, list[str]]) -> list[str]:
    return [file for files in named.values() for file in files]


def _first(files: Sequence[str]) -> str:
    shown = ", ".join(repr(file[:100]) for file in files[:_SHOWN])
    if len(files) <= _SHOWN:
        return f"{shown} {'is' if len(files) == 1 else 'are'}"
    return f"{plural(len(files), 'file')}, {shown} first, are"
