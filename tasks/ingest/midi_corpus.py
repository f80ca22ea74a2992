"""A corpus from MIDI files: an official set by its manifest, or any files at all.

With a manifest: it says which files, in which order and split, and by how much they are transposed.

Without: every file that ends in .mid or .midi, in the order of the names, transposed so that the tonic that is found
is C (`midi_piece.py`). Splits are the folders `train`, `valid` and `test`, at the top or one level down, where there
are any; else by content (`splits.py`), so that a piece and its like, in another key too, are in one split. A melody
is the highest notes of the frames. Pieces that are alike are counted either way.

How a file becomes a piece is its `Rules`: those of the official sets, or those for people's own files, which leave
drums out, keep the first cell, and say how long a frame is in quarter notes. What was left out or lost on the way is
counted in the corpus's `source` and told (`midi_told.py`).

A file that gives no piece is set aside with its reason; where more than `MOST_LOST` of the files are, and more than
one, the corpus fails.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from infra.errors import CorpusError
from tasks.corpus import SPLITS, Corpus
from tasks.ingest.manifest import ManifestRow
from tasks.ingest.midi_piece import OFFICIAL, Known, MidiFile, MidiPiece, Rules, batches, parse_batch
from tasks.ingest.midi_told import told_of_pieces
from tasks.ingest.piano_roll import roll_statistics
from tasks.ingest.recipe import MapFunction, Progress, Rejected
from tasks.ingest.splits import Likeness, assign_groups, group, linked_pairs
from tasks.wording import plural

MOST_LOST = 0.05
"""Most files that may be set aside, of all; one always may."""
MAX_ALL_FRAMES = 5_000_000
"""Most frames of all pieces together: 440 MB."""
# Measured in docs/data.md: with 12 in a row giant groups swallow the official sets.
LIKENESS = Likeness(long=16, short=8, share=0.5, common=20)
_ENDINGS = (".mid", ".midi", ".rmi")


@dataclass(frozen=True)
class _Place:
    """Where a piece stands: its title, the split that is given, and what a manifest says of its file."""

    title: str
    split: str | None
    known: Known | None


def build_midi_corpus(
    name: str,
    files: Mapping[str, bytes],
    manifest: Sequence[ManifestRow] | None,
    rules: Rules,
    progress: Progress,
    map_function: MapFunction,
) -> Corpus:
    """The corpus of some MIDI files.

    Args:
        name: of the corpus.
        files: contents by name with folders; those that are no MIDI, or not in the manifest, are left alone.
        manifest: the rows of this set, or None.
        rules: how a file becomes a piece.
        progress: called with (files done, files in all).
        map_function: like the builtin `map`; parses some files a call.

    Raises:
        CorpusError: there is no MIDI file, too many cannot be used, only some are in a folder of a split, there are
            too few for three splits, they have over `MAX_ALL_FRAMES` frames, or a frame is in ticks of which files have
            different numbers a quarter note.
    """
    places = _places_by_name(name, files) if manifest is None else _places_by_manifest(files, manifest)
    quarantined = {file: "it is in the manifest, and not among the files" for file in places if file not in files}
    pieces: dict[str, MidiPiece] = {}
    wanted = {file: MidiFile(files[file], rules, place.known) for file, place in places.items() if file in files}
    for file, parsed in _parse(name, wanted, progress, map_function):
        if isinstance(parsed, Rejected):
            quarantined[file] = parsed.reason
        else:
            pieces[file] = parsed
    _check_lost(name, len(places), quarantined)
    divisions = Counter(piece.division for piece in pieces.values())
    _check_ticks(name, rules, divisions)
    groups = group(len(pieces), linked_pairs([piece.steps for piece in pieces.values()], LIKENESS))
    splits = _splits(places, pieces, groups)
    how = "an official set, by its manifest" if manifest is not None else "transposed by the key that is found"
    official = rules.drums == "notes"
    source = {
        "origin": f"{len(places)} MIDI files, {how}",
        "frame": "an eighth note, half of each file's division" if rules == OFFICIAL else rules.frame,
        "first_cell": "kept" if rules.keep_first else "dropped",
        "ignored": len(files) - len(wanted),
        "quarantined": quarantined,
        "minor": sum(piece.key.mode == "minor" for piece in pieces.values()),
        **({} if official else told_of_pieces(pieces, rules)),
        "near_duplicates": len(pieces) - len(groups),
        "near_duplicates_in_two_splits": sum(len({splits[piece] for piece in members}) > 1 for members in groups),
    }
    quarters = None if official else float(rules.step(1) / (1 if rules.ticks is None else next(iter(divisions))))
    return _corpus(name, [places[file].title for file in pieces], list(pieces.values()), splits, source, quarters)


def folder_split(file: str) -> str | None:
    """The split whose folder a file is in, at the top or one level down.

    >>> folder_split("train/205.mid"), folder_split("JSB Chorales/test/95.mid"), folder_split("a/b/train/1.mid")
    ('train', 'test', None)
    """
    return next((part for part in PurePosixPath(file).parts[:-1][:2] if part in SPLITS), None)


def _places_by_name(name: str, files: Mapping[str, bytes]) -> dict[str, _Place]:
    """Every MIDI file; hidden ones are what a system left behind."""
    midi = [
        file
        for file in sorted(files)
        if file.lower().endswith(_ENDINGS) and not PurePosixPath(file).name.startswith(".")
    ]
    if not midi:
        raise CorpusError(f"{name}: no file of {len(files)} ends in .mid or .midi; give a folder or archive of MIDI")
    given = [folder_split(file) for file in midi]
    if any(given) and None in given:
        outside = midi[given.index(None)]
        raise CorpusError(f"{name}: {outside!r} is in no split, and others are; move it to train, valid or test")
    return {file: _Place(file.rpartition(".")[0], split, None) for file, split in zip(midi, given, strict=True)}


def _places_by_manifest(files: Mapping[str, bytes], manifest: Sequence[ManifestRow]) -> dict[str, _Place]:
    """The files of the manifest, in its order; found by their folder and name, whatever is above."""
    by_tail = {"/".join(PurePosixPath(file).parts[-2:]): file for file in sorted(files)}
    return {
        by_tail.get(f"{row.split}/{row.file}", f"{row.split}/{row.file}"): _Place(
            row.file.rpartition(".")[0] or row.file, row.split, Known(row.transpose, row.frames, row.sha256)
        )
        for row in sorted(manifest, key=lambda row: (SPLITS.index(row.split), row.index))
    }


def _parse(
    name: str, wanted: Mapping[str, MidiFile], progress: Progress, map_function: MapFunction
) -> Iterator[tuple[str, MidiPiece | Rejected]]:
    """What each file gives, in their order."""
    names = iter(wanted)
    done = frames = 0
    for batch in map_function(parse_batch, batches(wanted.values())):
        for parsed in batch:
            frames += 0 if isinstance(parsed, Rejected) else len(parsed.packed)
            if frames > MAX_ALL_FRAMES:
                raise CorpusError(f"{name}: over {MAX_ALL_FRAMES:,} frames in all; give fewer files, or a larger step")
            yield next(names), parsed
        done += len(batch)
        progress(done, len(wanted))


def _check_lost(name: str, count: int, quarantined: Mapping[str, str]) -> None:
    if len(quarantined) == count or len(quarantined) > max(1, MOST_LOST * count):
        file, reason = next(iter(quarantined.items()))
        raise CorpusError(
            f"{name}: {len(quarantined)} of {count} MIDI files cannot be used, over {MOST_LOST:.0%} of them;"
            f" take them out, first {file!r}: {reason}"
        )


def _check_ticks(name: str, rules: Rules, divisions: Mapping[int, int]) -> None:
    """A frame in ticks is a length in quarter notes only where all files have as many ticks a quarter note."""
    if rules.ticks is None or len(divisions) == 1:
        return
    told = ", ".join(f"{division} in {plural(count, 'file')}" for division, count in sorted(divisions.items()))
    raise CorpusError(
        f"{name}: a frame of {rules.ticks} ticks is not one length, for the files' ticks a quarter note differ: {told};"
        " give --step in parts of a quarter note, as 1/4"
    )


def _splits(
    places: Mapping[str, _Place], pieces: Mapping[str, MidiPiece], groups: Sequence[Sequence[int]]
) -> list[str]:
    given = [split for file in pieces if (split := places[file].split) is not None]
    if given:
        return given
    melodies = [piece.steps for piece in pieces.values()]
    return assign_groups(groups, melodies, [len(piece.packed) for piece in pieces.values()])


def _corpus(
    name: str,
    titles: Sequence[str],
    pieces: Sequence[MidiPiece],
    splits: Sequence[str],
    source: dict[str, Any],
    quarters: float | None,
) -> Corpus:
    members = {split: [place for place, its in enumerate(splits) if its == split] for split in SPLITS}
    for split in SPLITS:
        if not members[split]:
            raise CorpusError(
                f"{name}: of {len(pieces)} pieces none is for the {split} split, for like ones stay together;"
                " give more, or put them in folders train, valid and test"
            )
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
