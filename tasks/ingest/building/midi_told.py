"""Notes left out or lost while a user's MIDI files became pieces: counts for the store, sentences for the user.

Reported is everything that changes the data a network learns from: the length of a frame, drums, notes too short for a
frame, and files whose header contradicts their chunks.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from tasks.ingest.building.midi_piece import MidiPiece, Rules, step_for
from tasks.telling.wording import first_of, plural

SHARE_TOLD = 0.1
"""Smallest share of notes in no frame that is reported."""


def told_of_pieces(
    pieces: Mapping[str, MidiPiece], rules: Rules, told_before: Sequence[str] = (), told_after: Sequence[str] = ()
) -> dict[str, Any]:
    """The counts for a corpus's `source`, and under `told` the sentences for the user.

    Args:
        pieces: by file name; one or more.
        rules: that the files were read by.
        told_before: sentences about the files, which come first.
        told_after: sentences about near-duplicates, which come last.
    """
    read = sum(piece.notes for piece in pieces.values())
    unheard = sum(piece.unheard for piece in pieces.values())
    drums = {file: piece.drums for file, piece in pieces.items() if piece.drums}
    odd = {file: piece.odd for file, piece in pieces.items() if piece.odd}
    told = [*told_before, f"a frame is {rules.frame}"]
    if drums:
        told.append(_drums(drums, rules))
    if unheard >= SHARE_TOLD * read:
        told.append(_unheard(unheard, read, pieces, rules))
    for what in dict.fromkeys(odd.values()):
        told.append(f"{first_of([file for file in odd if odd[file] == what])} read by what is in it: {what}")
    return {
        "drums": {"notes": sum(drums.values()), "files": len(drums), "rule": rules.drums},
        "notes": {"read": read, "in_no_frame": unheard, "share_in_no_frame": round(unheard / read, 4)},
        "odd": odd,
        "told": [*told, *told_after],
    }


def told_of_groups(sizes: Sequence[int], in_two_splits: int) -> list[str]:
    """Sentences for the user about near-duplicates: how many there are, and whether given splits separate them.

    Args:
        sizes: of the groups of near-duplicates; 1 for each piece without any.
        in_two_splits: number of groups with pieces in more than one split.
    """
    like = [size for size in sizes if size > 1]
    if not like:
        return []
    told = f"{sum(like):,} pieces are takes or copies of others, in {plural(len(like), 'group')} of up to {max(like):,}"
    if not in_two_splits:
        return [f"{told}; each is in one split"]
    return [told, f"{plural(in_two_splits, 'group')} of them in two splits, as the folders are: no test on new music"]


def _drums(drums: Mapping[str, int], rules: Rules) -> str:
    found = f"{plural(sum(drums.values()), 'note')} of drums (channel 10) in {plural(len(drums), 'file')}"
    if rules.drums == "left out":
        return f"{found} left out; --drums keeps them"
    return f"{found} kept where they are, neither transposed nor heard for the key"


def _unheard(unheard: int, read: int, pieces: Mapping[str, MidiPiece], rules: Rules) -> str:
    finer = step_for(_short(piece for piece in pieces.values() if piece.unheard >= SHARE_TOLD * piece.notes))
    return (
        f"{unheard / read:.0%} of the notes ({unheard:,} of {read:,}) are shorter than a frame, {rules.frame}, and in"
        f" none; a smaller --step, as {finer}, has most of them"
    )


def _short(pieces: Iterable[MidiPiece]) -> Fraction:
    """The `tenth` of one piece: that in which the median unheard note is, with pieces ordered by `tenth`."""
    by_length = sorted(pieces, key=lambda piece: piece.tenth)
    half, seen = sum(piece.unheard for piece in by_length) / 2, 0
    for piece in by_length:
        seen += piece.unheard
        if seen >= half:
            break
    return piece.tenth
