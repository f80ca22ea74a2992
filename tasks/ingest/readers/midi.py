"""The notes of a standard MIDI file, in ticks, from its bytes; specification, section 4, rules 4, 5 and 6.

    4. A note-on for a sounding (track, channel, pitch) restarts the note; the part before it is lost.
    5. All channels count, channel 10 too.
    6. Exactly the header's number of track chunks is read, at their declared lengths; later bytes are ignored. Meta
       events are skipped. Data bytes over 127 are masked to 7 bits.

A note-on without a note-off gives no note, and a note-off without a note-on is ignored. Chunks of other kinds are
skipped, and so are messages of a live connection (a clock, a song position), which some programs leave in a track. A
file in a RIFF wrapper is unwrapped. Tempo, programs, pedals and text are not read.

With `exact` false, for a user's own files, the chunks are trusted more than the header. All tracks in the file are
read. A last track that declares more bytes than the file has is read if the file ends with an end-of-track event. Such
contradictions are reported in `MidiNotes.odd`.

Why not a library: none of those tried follows rules 4 and 6. symusic 0.6 pairs the first note-on with the first
note-off, so that a note-on without an end takes the note-off of another note (in two of the official files). It also
loses the order of note-on and note-off within a tick, and refuses data bytes over 127 or clips them to 127. mido
refuses files that rule 6 reads. mido and music21's reader would each take over a minute for 21 MB. Measured in
docs/data.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from infra.errors import CorpusError
from tasks.telling.wording import plural

MAX_BYTES = 8 * 2**20
MAX_QUARTERS = 10**6
MAX_EVENTS = 10**6
_NOTE_OFF, _NOTE_ON, _PROGRAM, _PRESSURE = 0x8, 0x9, 0xC, 0xD
_META, _SYSTEM_EXCLUSIVE, _END_OF_TRACK = 0xFF, (0xF0, 0xF7), 0x2F
# Data bytes of the messages of a live connection: time code, song position, song, tune request, and the real-time ones.
_LIVE = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, **dict.fromkeys(range(0xF8, 0xFF), 0)}
_TRACK, _LAST = b"MTrk", b"\xff\x2f\x00"
_WRAPPER, _WRAPPED, _WRAPPED_DATA = b"RIFF", b"RMID", b"data"
DRUMS = 9
"""The channel that General MIDI gives to drums, the tenth."""


@dataclass(frozen=True, eq=False)
class MidiNotes:
    """The notes of a file, track by track, ordered by their ends within each track.

    Attributes:
        division: ticks in a quarter note.
        start: int64 (N,), ticks.
        end: int64 (N,), ticks, not before the start; a note may have no length.
        pitch: int64 (N,), 0..127.
        channel: int64 (N,), 0..15.
        odd: contradictions between the header and the chunks; "" if there are none.
    """

    division: int
    start: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    channel: np.ndarray
    odd: str = ""

    def chosen(self, which: np.ndarray) -> "MidiNotes":
        """The notes selected by a mask, bool (N,)."""
        return replace(
            self, start=self.start[which], end=self.end[which], pitch=self.pitch[which], channel=self.channel[which]
        )


def read_midi(data: bytes, exact: bool = True) -> MidiNotes:
    """The notes of a standard MIDI file of format 0 or 1, in a RIFF wrapper or without.

    Args:
        data: the bytes of the file.
        exact: read the header's number of tracks; otherwise all tracks in the file.

    Raises:
        CorpusError: the data is not a MIDI file, is damaged, counts time in SMPTE frames, or is over a limit:
            `MAX_BYTES`, `MAX_QUARTERS` in a track, `MAX_EVENTS` in all tracks.
    """
    if len(data) > MAX_BYTES:
        raise CorpusError(f"{len(data):,} bytes, over the limit of {MAX_BYTES:,}")
    data = _unwrapped(data)
    division, tracks, position = _read_header(data)
    notes = _Notes()
    events = 0
    chunks, odd = (_track_chunks(data, tracks, position), "") if exact else _all_tracks(data, tracks, position)
    for number, chunk in enumerate(chunks, 1):
        try:
            ticks, used = _read_track(chunk, MAX_EVENTS - events, notes)
        except IndexError:
            raise CorpusError(f"track {number} ends within an event") from None
        except CorpusError as error:
            raise CorpusError(f"track {number}: {error}") from None
        if ticks > MAX_QUARTERS * division:
            raise CorpusError(
                f"track {number} has {ticks // division:,} quarter notes, over the limit of {MAX_QUARTERS:,}"
            )
        events += used
    start, end, key = (np.array(column, np.int64) for column in (notes.starts, notes.ends, notes.keys))
    return MidiNotes(division, start, end, key & 127, key >> 7, odd)


@dataclass
class _Notes:
    """The notes that have ended so far; a note's key is 128 times its channel plus its pitch."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)


def _unwrapped(data: bytes) -> bytes:
    """The chunk `data` of a RIFF wrapper, which .rmi files have; any other bytes unchanged."""
    if data[:4] != _WRAPPER or data[8:12] != _WRAPPED:
        return data
    position = 12
    while position + 8 <= len(data):
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if kind == _WRAPPED_DATA:
            return data[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    raise CorpusError("a RIFF wrapper without a MIDI file in it")


def _read_header(data: bytes) -> tuple[int, int, int]:
    """The division, the number of tracks, and where the first chunk begins."""
    length = int.from_bytes(data[4:8])
    if data[:4] != b"MThd" or length < 6 or len(data) < 14:
        raise CorpusError("not a standard MIDI file: it has no MThd header")
    form, tracks, division = (int.from_bytes(data[at : at + 2]) for at in (8, 10, 12))
    if form > 1:
        raise CorpusError(f"MIDI format {form}: only 0 and 1 are one piece of music")
    if division & 0x8000:
        raise CorpusError("its division counts SMPTE frames, not ticks of a quarter note")
    if division == 0:
        raise CorpusError("its quarter note has 0 ticks")
    return division, tracks, 8 + length


def _track_chunks(data: bytes, tracks: int, position: int) -> Iterator[bytes]:
    found = 0
    while found < tracks:
        begin = position + 8
        if begin > len(data):
            raise CorpusError(f"its header says {plural(tracks, 'track')}, but it has {found}")
        position = begin + int.from_bytes(data[begin - 4 : begin])
        if position > len(data):
            raise CorpusError(f"the chunk at byte {begin - 8} is longer than the file")
        if data[begin - 8 : begin - 4] == _TRACK:
            found += 1
            yield data[begin:position]


def _all_tracks(data: bytes, tracks: int, position: int) -> tuple[list[bytes], str]:
    """All track chunks in the file, whatever number the header gives, and a text about contradictions."""
    chunks: list[bytes] = []
    odd = []
    while (kind := data[position : position + 4]).isalnum() and position + 8 <= len(data):
        begin = position + 8
        position = begin + int.from_bytes(data[begin - 4 : begin])
        if kind != _TRACK:
            continue
        chunks.append(data[begin:position])
        if position > len(data):
            if not data.endswith(_LAST):
                raise CorpusError(f"the chunk at byte {begin - 8} is longer than the file")
            odd.append("its last track says that it is longer than the file")
    if len(chunks) != tracks:
        if not chunks:
            raise CorpusError(f"its header says {plural(tracks, 'track')}, but it has 0")
        odd.append(f"its header says {plural(tracks, 'track')}, and it has {len(chunks)}")
    return chunks, "; ".join(odd)


def _read_track(chunk: bytes, most_events: int, notes: _Notes) -> tuple[int, int]:
    """Add the notes of a track; return its last tick and number of events. An IndexError means a truncated track."""
    sounding: dict[int, int] = {}
    size = len(chunk)
    position = tick = status = 0
    for events in range(most_events + 1):
        if position == size:
            return tick, events
        # Most delta times are one byte, which is decoded here without a call.
        if (delta := chunk[position]) < 128:
            tick += delta
            position += 1
        else:
            delta, position = _read_number(chunk, position)
            tick += delta
        first = chunk[position]
        if first >= 0xF0:
            position = _skip_system(chunk, position)
            if position < 0:
                return tick, events
            continue
        if first >= 0x80:
            status = first
            position += 1
        elif status == 0:
            raise CorpusError("its first event has no status byte")
        kind = status >> 4
        if kind in (_NOTE_ON, _NOTE_OFF):
            key = (status & 15) << 7 | chunk[position] & 127
            velocity = chunk[position + 1] & 127
            position += 2
            if velocity and kind == _NOTE_ON:
                sounding[key] = tick
            elif key in sounding:
                notes.starts.append(sounding.pop(key))
                notes.ends.append(tick)
                notes.keys.append(key)
        else:
            position += 1 if kind in (_PROGRAM, _PRESSURE) else 2
    raise CorpusError(f"over the limit of {MAX_EVENTS:,} events in the file")


def _skip_system(chunk: bytes, position: int) -> int:
    """The position after this meta, system or live event; -1 at the end of the track."""
    status = chunk[position]
    if status == _META:
        if chunk[position + 1] == _END_OF_TRACK:
            return -1
        length, begin = _read_number(chunk, position + 2)
    elif status in _SYSTEM_EXCLUSIVE:
        length, begin = _read_number(chunk, position + 1)
    elif status in _LIVE:
        length, begin = _LIVE[status], position + 1
    else:
        raise CorpusError(f"the status byte {status:#04x} cannot be in a file")
    return begin + length


def _read_number(chunk: bytes, position: int) -> tuple[int, int]:
    """A variable-length number of at most four bytes, and the position after it."""
    value = 0
    for place in range(position, position + 4):
        value = value << 7 | chunk[place] & 127
        if chunk[place] < 128:
            return value, place + 1
    raise CorpusError("a number of more than four bytes")
