"""A corpus from MIDI files: an official set with its manifest, or any files at all.

With a manifest, the manifest gives the files, their order, their splits and their transpositions.

Without a manifest, the corpus takes every file that ends in .mid, .midi or .rmi, ordered by name. Each piece is
transposed so that its estimated tonic becomes C (`midi_piece.py`). Splits come from the names of folders
(`split_names.py`) if they give any. Otherwise they are made by content (`splits.py`), so that near-duplicates are in
one split, also if they are in different keys. In the official sets two pieces are near-duplicates if their melodies
are: the highest notes of the frames. A user's own pieces are compared by fingerprints (`likeness.py`), which depend
neither on the grid nor on the tempo. Near-duplicates are counted in either case.

`Rules` say how a file becomes a piece. Those of the official sets differ from those for a user's own files: the latter
leave drums out, keep the first cell, and give the length of a frame in quarter notes. Notes that are left out or lost
are counted in the corpus's `source`, and reported to the user (`midi_told.py`).

A file that gives no piece is set aside with its reason. The corpus fails if too many are (`lost.py`).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from infra.errors import CorpusError
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.piano_roll import roll_statistics
from tasks.ingest.building.likeness import like_groups
from tasks.ingest.building.lost import NO_WISHES, Selection, check_lost
from tasks.ingest.building.midi_piece import OFFICIAL, Known, MidiFile, MidiPiece, Rules, batches, parse_batch
from tasks.ingest.building.midi_told import told_of_groups, told_of_pieces
from tasks.ingest.building.recipe import BuildProgress, MapFunction, Rejected
from tasks.ingest.building.splits import Likeness, assign_groups, fill_splits, group, linked_pairs
from tasks.ingest.readers.manifest import ManifestRow
from tasks.ingest.sources.members import is_hidden
from tasks.ingest.sources.split_names import NO_NAMED_SPLITS, NamedSplits, splits_by_name
from tasks.ingest.sources.unread import Unread, by_ending, ending, split_unread, told_of_ignored
from tasks.telling.wording import plural

MAX_ALL_FRAMES = 5_000_000
"""Largest number of frames of all pieces together: 440 MB."""
# Measured in docs/data.md: with 12 in a row giant groups swallow the official sets.
LIKENESS = Likeness(long=16, short=8, share=0.5, common=20)
_ENDINGS = (".mid", ".midi", ".rmi")
WANTED = "what ends in .mid, .midi or .rmi"


@dataclass(frozen=True)
class _Place:
    """A piece's title, its split if one is given, and the manifest's data of its file."""

    title: str
    split: str | None
    known: Known | None


def build_midi_corpus(
    name: str,
    files: Mapping[str, bytes],
    manifest: Sequence[ManifestRow] | None,
    rules: Rules,
    progress: BuildProgress,
    map_function: MapFunction,
    selection: Selection = NO_WISHES,
) -> Corpus:
    """The corpus of a set of MIDI files.

    Args:
        name: of the corpus.
        files: contents by name, folders included. Files that are not MIDI or not in the manifest are ignored. The list
            of unread files may be among them (`unread.py`).
        manifest: the rows of this set, or None.
        rules: how a file becomes a piece.
        progress: called with (files done, files in all).
        map_function: like the builtin `map`; each call parses a batch of files.
        selection: the user's choices for the set of files.

    Raises:
        CorpusError: there is no MIDI file, too many cannot be used, folders give splits to only some of them, there are
            too few for three splits, they have over `MAX_ALL_FRAMES` frames, or a frame is given in ticks and the files
            have different numbers of ticks in a quarter note.
    """
    files, unread = split_unread(files)
    ignored = Counter(unread.ignored) + Counter(ending(file) for file in files if not is_midi(file))
    places, quarantined, split_told = _placed(name, files, unread, manifest, selection)
    wanted = {
        file: MidiFile(files[file], rules, place.known) for file, place in places.items() if file not in quarantined
    }
    pieces, rejected = _parse(name, wanted, progress, map_function)
    quarantined |= rejected
    check_lost(name, "MIDI files", len(places), quarantined, selection.most_lost, own=manifest is None)
    divisions = Counter(piece.division for piece in pieces.values())
    _check_ticks(name, rules, divisions)
    groups = _alike(list(pieces.values()))
    splits = _splits(places, pieces, groups)
    how = "an official set, by its manifest" if manifest is not None else "transposed by the key that is found"
    source = {
        "origin": f"{plural(len(places), 'MIDI file')}, {how}",
        "ignored": ignored.total() + sum(is_midi(file) for file in files if file not in wanted),
        "quarantined": quarantined,
        **_facts(rules, list(pieces.values()), groups, splits),
    }
    if not rules.official:
        alike = told_of_groups([len(members) for members in groups], source["near_duplicates_in_two_splits"])
        source |= told_of_pieces(pieces, rules, [*told_of_ignored(ignored, WANTED), *split_told], alike)
    quarters = None if rules.official else float(rules.step(1) / (1 if rules.ticks is None else next(iter(divisions))))
    _check_splits(name, splits, len(groups))
    return _corpus(name, [places[file].title for file in pieces], list(pieces.values()), splits, source, quarters)


def _facts(
    rules: Rules, pieces: Sequence[MidiPiece], groups: Sequence[Sequence[int]], splits: Sequence[str]
) -> dict[str, Any]:
    """Facts about the pieces and how they were made, for the corpus's `source`."""
    return {
        "frame": "an eighth note, half of each file's division" if rules == OFFICIAL else rules.frame,
        "first_cell": "kept" if rules.keep_first else "dropped",
        "minor": sum(piece.key.mode == "minor" for piece in pieces),
        "near_duplicates": len(pieces) - len(groups),
        "near_duplicates_in_two_splits": sum(len({splits[piece] for piece in members}) > 1 for members in groups),
    }


def is_midi(name: str) -> bool:
    """Whether a name is that of a MIDI file. Hidden files, which operating systems leave behind, do not count."""
    return name.lower().endswith(_ENDINGS) and not is_hidden(name)


def _placed(
    name: str,
    files: Mapping[str, bytes],
    unread: Unread,
    manifest: Sequence[ManifestRow] | None,
    selection: Selection,
) -> tuple[dict[str, _Place], dict[str, str], Sequence[str]]:
    """The place of every file, the reason for each unreadable one, and sentences about the splits for the user."""
    if manifest is None:
        places, named = _places_by_name(name, files, unread, selection)
        return places, {**unread.refused, **named.set_aside}, named.told
    places = _places_by_manifest(files, manifest)
    tails = {_tail(file): what for file, what in unread.refused.items()}
    not_there = "it is in the manifest, and not among the files"
    return places, {file: tails.get(_tail(file), not_there) for file in places if file not in files}, ()


def _places_by_name(
    name: str, files: Mapping[str, bytes], unread: Unread, selection: Selection
) -> tuple[dict[str, _Place], NamedSplits]:
    """The place of every MIDI file, unreadable ones included, and the splits that the names give."""
    midi = sorted([*filter(is_midi, files), *unread.refused])
    if not midi:
        others = Counter(unread.ignored) + Counter(map(ending, files))
        raise CorpusError(
            f"{name}: {by_ending(others)}, and no file ends in .mid, .midi or .rmi;"
            " give MIDI files, as programs for scores export them"
        )
    named = NO_NAMED_SPLITS if selection.by_content else splits_by_name(name, midi, text=False)
    titles = distinct_titles(midi)
    return {file: _Place(titles[file], named.split_of.get(file), None) for file in midi}, named


def distinct_titles(files: Sequence[str]) -> dict[str, str]:
    """Titles by file: the name without its ending, or with it if two titles would be the same.

    >>> distinct_titles(["a.mid", "b.mid", "b.midi"])
    {'a.mid': 'a', 'b.mid': 'b.mid', 'b.midi': 'b.midi'}
    """
    titles = {file: file.rpartition(".")[0] for file in files}
    often = Counter(titles.values())
    return {file: title if often[title] == 1 else file for file, title in titles.items()}


def _tail(file: str) -> str:
    return "/".join(PurePosixPath(file).parts[-2:])


def _places_by_manifest(files: Mapping[str, bytes], manifest: Sequence[ManifestRow]) -> dict[str, _Place]:
    """The files of the manifest, in its order, found by their last folder and their name; folders above may differ."""
    by_tail = {_tail(file): file for file in sorted(files)}
    return {
        by_tail.get(f"{row.split}/{row.file}", f"{row.split}/{row.file}"): _Place(
            row.file.rpartition(".")[0] or row.file, row.split, Known(row.transpose, row.frames, row.sha256)
        )
        for row in sorted(manifest, key=lambda row: (SPLITS.index(row.split), row.index))
    }


def _parse(
    name: str, wanted: Mapping[str, MidiFile], progress: BuildProgress, map_function: MapFunction
) -> tuple[dict[str, MidiPiece], dict[str, str]]:
    """The piece of each file, in order, and for every other file the reason why it gives none."""
    pieces: dict[str, MidiPiece] = {}
    rejected: dict[str, str] = {}
    names = iter(wanted)
    frames = 0
    for batch in map_function(parse_batch, batches(wanted.values())):
        for parsed in batch:
            if isinstance(parsed, Rejected):
                rejected[next(names)] = parsed.reason
                continue
            pieces[next(names)] = parsed
            frames += len(parsed.packed)
            if frames > MAX_ALL_FRAMES:
                raise CorpusError(f"{name}: over {MAX_ALL_FRAMES:,} frames in all; give fewer files, or a larger step")
        progress(len(pieces) + len(rejected), len(wanted))
    return pieces, rejected


def _alike(pieces: Sequence[MidiPiece]) -> list[list[int]]:
    """The numbers of the pieces, in groups of near-duplicates."""
    prints = _fingerprints(pieces)
    if prints is not None:
        return like_groups(prints)
    return group(len(pieces), linked_pairs([piece.steps for piece in pieces], LIKENESS))


def _fingerprints(pieces: Sequence[MidiPiece]) -> list[np.ndarray] | None:
    """The fingerprints of a user's own pieces; None for an official set."""
    prints = [piece.fingerprint for piece in pieces if piece.fingerprint is not None]
    return prints if len(prints) == len(pieces) else None


def _check_ticks(name: str, rules: Rules, divisions: Mapping[int, int]) -> None:
    """A frame in ticks has one musical length only if all files have the same number of ticks in a quarter note."""
    if rules.ticks is None or len(divisions) == 1:
        return
    told = ", ".join(f"{division} in {plural(count, 'file')}" for division, count in sorted(divisions.items()))
    raise CorpusError(
        f"{name}: a frame of {rules.ticks} ticks is not one length, for the files' ticks a quarter note differ: {told};"
        " give --step in parts of a quarter note, as 1/4"
    )


def _check_splits(name: str, splits: Sequence[str], groups: int) -> None:
    """Every split has a piece. A folder may have lost all its files, and near-duplicates may leave too few groups."""
    if empty := [split for split in SPLITS if split not in splits]:
        are = f"{plural(len(splits), 'piece')} in {plural(groups, 'group')} of like ones, which stay together"
        raise CorpusError(
            f"{name}: no piece for the {' and the '.join(empty)} split, of {are};"
            " give more, or put them in folders train, valid and test"
        )


def _splits(
    places: Mapping[str, _Place], pieces: Mapping[str, MidiPiece], groups: Sequence[Sequence[int]]
) -> list[str]:
    given = [split for file in pieces if (split := places[file].split) is not None]
    if given:
        return given
    sizes = [len(piece.packed) for piece in pieces.values()]
    prints = _fingerprints(list(pieces.values()))
    if prints is not None:  # fingerprints do not depend on --step, so the splits do not either, but for rounding
        return fill_splits(groups, sizes, [hashlib.sha256(each.tobytes()).digest() for each in prints])
    return assign_groups(groups, [piece.steps for piece in pieces.values()], sizes)


def _corpus(
    name: str,
    titles: Sequence[str],
    pieces: Sequence[MidiPiece],
    splits: Sequence[str],
    source: dict[str, Any],
    quarters: float | None,
) -> Corpus:
    members = {split: [place for place, other in enumerate(splits) if other == split] for split in SPLITS}
    rolls = {split: tuple(pieces[place].roll for place in members[split]) for split in SPLITS}
    statistics = {split: {"pieces": len(rolls[split]), **roll_statistics(rolls[split])} for split in SPLITS}
    return Corpus(
        name=name,
        kind="music",
        splits=rolls,
        titles={split: tuple(titles[place] for place in members[split]) for split in SPLITS},
        source={**source, "statistics": statistics},
        quarters=quarters,
    )
