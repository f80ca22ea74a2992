"""MIDI files read: rules 4, 5 and 6, the limits, and anything at all."""

import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.readers.midi import DRUMS, MAX_BYTES, MAX_EVENTS, MAX_QUARTERS, MidiNotes, read_midi
from tests.tasks.ingest.data import data_folder
from tests.tasks.ingest.midi_files import END, chunk, event, meta, midi, number, off, on, track

Note = tuple[int, int, int]
# (delta, on or off, channel, pitch): few of each, so that notes meet
played = st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.sampled_from([0, 9]), st.sampled_from([60, 61])))


def notes(data: bytes) -> list[Note]:
    read = read_midi(data)
    return sorted(zip(read.start.tolist(), read.end.tolist(), read.pitch.tolist(), strict=True))


def replay(events: list[tuple[int, bool, int, int]]) -> list[Note]:
    """Rule 4 by looking back from every note-off: the last note-on of its key, if no other note-off is between."""
    times = np.cumsum([delta for delta, *_ in events], dtype=int).tolist()
    heard = []
    for place, (_, is_on, channel, pitch) in enumerate(events):
        if is_on:
            continue
        before = [other for other in range(place) if events[other][2:] == (channel, pitch)]
        if before and events[before[-1]][1]:
            heard.append((times[before[-1]], times[place], pitch))
    return sorted(heard)


def written(events: list[tuple[int, bool, int, int]], running: bool) -> bytes:
    """With a status byte for each event, or only where it changes (note-offs are then note-ons of velocity 0)."""
    parts = []
    status = 0
    for delta, is_on, channel, pitch in events:
        wanted = (0x90 if is_on or running else 0x80) | channel
        parts.append(event(delta, *([] if running and wanted == status else [wanted]), pitch, 64 if is_on else 0))
        status = wanted
    return track(*parts)


@given(st.lists(played, max_size=3), st.booleans())
def test_any_notes_are_those_of_rule_4_in_each_track(tracks: list[list[tuple[int, bool, int, int]]], run: bool) -> None:
    data = midi(*(written(events, run) for events in tracks))
    assert notes(data) == sorted(note for events in tracks for note in replay(events))


def test_a_note_on_restarts_and_the_part_before_is_lost() -> None:
    assert notes(midi(track(on(0, 60), on(10, 60), off(10, 60), off(10, 60)))) == [(10, 20, 60)]


def test_a_note_on_that_is_never_ended_takes_no_note_off_from_another() -> None:
    """What haydn.sym.s-099_midi1_01.mid and bach.cant.0005_midip_05.mid have: two ons, one off."""
    assert notes(midi(track(on(0, 60), on(10, 60), off(10, 60), on(10, 60)))) == [(10, 20, 60)]


def test_the_order_within_a_tick_counts() -> None:
    assert notes(midi(track(on(0, 60), off(10, 60), on(0, 60), off(10, 60)))) == [(0, 10, 60), (10, 20, 60)]
    assert notes(midi(track(on(0, 60), on(10, 60), off(0, 60), off(10, 60)))) == [(10, 10, 60)]


def test_a_change_of_program_does_not_end_what_sounds() -> None:
    assert notes(midi(track(on(0, 60), event(5, 0xC0, 7), on(5, 60), off(10, 60)))) == [(10, 20, 60)]


def test_tracks_and_channels_do_not_end_each_other() -> None:
    two = midi(track(on(0, 60), off(30, 60)), track(on(10, 60), on(5, 60, channel=1), off(5, 60)))
    assert notes(two) == [(0, 30, 60), (10, 20, 60)]


def test_every_channel_counts_the_tenth_too() -> None:
    events = [part for channel in range(16) for part in (on(0, 40 + channel, channel), off(1, 40 + channel, channel))]
    assert notes(midi(track(*events))) == [(channel, channel + 1, 40 + channel) for channel in range(16)]


def test_what_follows_the_tracks_of_the_header_is_not_read() -> None:
    one, other = track(on(0, 60), off(9, 60)), track(on(0, 72), off(9, 72))
    assert notes(midi(one, other, tracks=1)) == [(0, 9, 60)]
    assert notes(midi(one) + b"\x00\xffjunk") == [(0, 9, 60)]


def test_a_track_is_as_long_as_it_says() -> None:
    assert notes(midi(track(on(0, 60), off(9, 60), end=b""), track(on(0, 62), off(9, 62)))) == [(0, 9, 60), (0, 9, 62)]
    after_its_end = track(on(0, 60), off(9, 60), END, on(0, 61), off(9, 61))
    assert notes(midi(after_its_end)) == [(0, 9, 60)]


def test_chunks_of_another_kind_and_a_longer_header_are_stepped_over() -> None:
    music = track(on(0, 60), off(9, 60))
    assert notes(midi(chunk(b"XFIH", b"abc"), music, tracks=1)) == [(0, 9, 60)]
    assert notes(chunk(b"MThd", bytes([0, 1, 0, 1, 1, 224, 7, 7])) + music) == [(0, 9, 60)]


def test_meta_events_are_not_looked_into() -> None:
    odd = [
        meta(0, 0x54, bytes([99, 99, 99, 99, 99])),
        meta(0, 0x59, b"\x7f\x09"),
        meta(0, 0x51, b""),
        meta(0, 0x03, b"\xff"),
    ]
    assert notes(midi(track(*odd, on(1, 60), *odd, off(9, 60)))) == [(1, 10, 60)]


def test_data_bytes_over_127_are_masked() -> None:
    assert notes(midi(track(on(0, 60 | 128), event(9, 0x80, 60, 255)))) == [(0, 9, 60)]
    assert notes(midi(track(on(0, 60), event(9, 0x90, 60, 128)))) == [(0, 9, 60)]


def test_running_status_goes_on_behind_meta_and_system_exclusive_events() -> None:
    between = (meta(1, 0x01, b"text"), event(1, 0xF0, 2, 0x7E, 0xF7), event(1, 0xF7, 1, 5), event(1, 0xB0, 64, 127))
    assert notes(midi(track(on(0, 60), *between[:3], event(1, 60, 0)))) == [(0, 4, 60)]
    with pytest.raises(CorpusError, match="track 1: its first event has no status byte"):
        read_midi(midi(track(event(0, 60, 64))))


@pytest.mark.parametrize("live", [(0xF8,), (0xFA,), (0xFE,), (0xF1, 3), (0xF2, 1, 2), (0xF3, 5), (0xF6,)])
def test_messages_of_a_live_connection_are_read_past(live: tuple[int, ...]) -> None:
    """As other readers do; real-time bytes leave the running status as it is."""
    assert notes(midi(track(event(0, *live), on(0, 60), event(5, *live), event(4, 60, 0)))) == [(0, 9, 60)]


def test_the_channel_of_every_note_is_told() -> None:
    read = read_midi(midi(track(on(0, 36, channel=9), on(0, 60), off(9, 60), off(0, 36, channel=9))))
    assert (read.pitch.tolist(), read.channel.tolist()) == ([60, 36], [0, DRUMS])
    assert read.chosen(read.channel != DRUMS).pitch.tolist() == [60]


MUSIC = midi(track(on(0, 60), off(9, 60)))


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A RIFF file of the form RMID; chunks of odd sizes are filled up."""
    body = b"RMID" + b"".join(
        kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def test_a_file_in_a_riff_wrapper_is_the_one_within() -> None:
    assert notes(riff((b"data", MUSIC))) == notes(riff((b"DISP", b"odd"), (b"data", MUSIC))) == [(0, 9, 60)]
    with pytest.raises(CorpusError, match="a RIFF wrapper without a MIDI file in it"):
        read_midi(riff((b"DISP", b"odd")))
    with pytest.raises(CorpusError, match="no MThd header"):
        read_midi(riff((b"data", b"WAVE")))
    with pytest.raises(CorpusError, match="no MThd header"):
        read_midi(riff((b"data", MUSIC)).replace(b"RMID", b"WAVE"))


ONE, OTHER = track(on(0, 60), off(9, 60)), track(on(0, 72), off(9, 72))
LONGER = midi(ONE, b"MTrk" + (len(OTHER) - 8 + 3).to_bytes(4) + OTHER[8:])


@pytest.mark.parametrize(
    ("data", "odd"),
    [
        (midi(ONE, OTHER), ""),
        (midi(ONE, OTHER) + b"\0\0 junk", ""),
        (midi(ONE, OTHER) + bytes(8) + ONE, ""),
        (midi(ONE, OTHER) + ONE[:7], ""),
        (midi(ONE, OTHER, tracks=1), "its header says 1 track, and it has 2"),
        (midi(ONE, OTHER, tracks=9), "its header says 9 tracks, and it has 2"),
        (midi(ONE, chunk(b"XFIH", b"abc"), OTHER, tracks=2), ""),
        (LONGER, "its last track says that it is longer than the file"),
    ],
)
def test_of_own_files_all_tracks_that_are_there_are_read_and_what_is_odd_is_told(data: bytes, odd: str) -> None:
    read = read_midi(data, exact=False)
    assert read.pitch.tolist() == [60, 72]
    assert read.odd == odd


def test_own_files_that_are_cut_are_still_refused() -> None:
    for cut, told in ((midi(ONE, OTHER)[:-2], "longer than the file"), (midi(tracks=1), "1 track, but it has 0")):
        with pytest.raises(CorpusError, match=told):
            read_midi(cut, exact=False)


def test_no_track_is_no_note() -> None:
    assert notes(midi()) == notes(midi(track(), track())) == []


REFUSED = {
    "nothing": (b"", "no MThd header"),
    "text": (b"X:1\nT:a tune\nK:C\nCDE", "no MThd header"),
    "a short header": (chunk(b"MThd", b"\0\1\0"), "no MThd header"),
    "a header cut short": (midi()[:13], "no MThd header"),
    "format 2": (midi(track(), form=2), "MIDI format 2: only 0 and 1"),
    "SMPTE": (midi(track(), division=0xE728), "SMPTE frames"),
    "no division": (midi(track(), division=0), "0 ticks"),
    "a track too few": (midi(track(), tracks=2), "says 2 tracks, but it has 1"),
    "a track cut short": (midi(track(on(0, 60)))[:-1], "the chunk at byte 14 is longer than the file"),
    "an event cut short": (midi(track(), track(on(0, 60)[:-1], end=b"")), "track 2 ends within an event"),
    "a delta cut short": (midi(track(b"\x81", end=b"")), "track 1 ends within an event"),
    "a delta alone": (midi(track(b"\x01", end=b"")), "track 1 ends within an event"),
    "a program cut short": (midi(track(b"\x00\xc0", end=b"")), "track 1 ends within an event"),
    "a bend cut short": (midi(track(b"\x00\xe0\x01", end=b"")), "track 1 ends within an event"),
    "text cut short": (midi(track(b"\x00\xff\x01\x09abc", end=b"")), "track 1 ends within an event"),
    "a long number": (midi(track(b"\xff\xff\xff\xff\x01")), "track 1: a number of more than four bytes"),
    "a system message": (midi(track(event(0, 0xF4))), "track 1: the status byte 0xf4 cannot be in a file"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_such_file_is_refused_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason) as error:
        read_midi(data)
    assert "\n" not in str(error.value)


def test_the_limit_of_bytes() -> None:
    music = midi(track(on(0, 60), off(9, 60)))
    assert notes(music.ljust(MAX_BYTES, b"\0")) == [(0, 9, 60)]
    with pytest.raises(CorpusError, match="8,388,609 bytes, over the limit of 8,388,608"):
        read_midi(music.ljust(MAX_BYTES + 1, b"\0"))


@pytest.mark.parametrize("division", [1, 480, 32_767])
def test_the_limit_of_time_is_in_quarter_notes_however_many_ticks_they_have(division: int) -> None:
    last = MAX_QUARTERS * division
    long = [event(2**27, 0xC0, 0)] * (last // 2**27) + [event(last % 2**27, 0xC0, 0)]
    assert notes(midi(track(*long, on(0, 60)), division=division)) == []
    assert notes(midi(track(on(0, 60), off(10**3 * division, 60)), division=division)) == [(0, 10**3 * division, 60)]
    with pytest.raises(CorpusError, match="track 1 has 1,000,001 quarter notes, over the limit of 1,000,000"):
        read_midi(midi(track(*long, event(division, 0xC0, 0)), division=division))


def test_the_limit_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1_000
    monkeypatch.setattr("tasks.ingest.readers.midi.MAX_EVENTS", most)
    half = track(on(0, 60), b"\0\x3c\x40" * (most // 2 - 1), end=b"")
    assert notes(midi(half, half)) == []
    with pytest.raises(CorpusError, match="track 3: over the limit of 1,000 events"):
        read_midi(midi(half, half, track(on(0, 60))))
    with pytest.raises(CorpusError, match="track 1: over the limit of 1,000 events"):
        read_midi(midi(track(on(0, 60), b"\0\x3c\x40" * most)))


def read_or_refuse(data: bytes) -> MidiNotes | None:
    """Nothing else may come of any bytes; and what comes is within the limits."""
    with suppress(CorpusError):
        read_midi(data, exact=False)
    with suppress(CorpusError):
        read = read_midi(data)
        assert len(read.start) == len(read.end) == len(read.pitch) <= MAX_EVENTS
        assert (read.start >= 0).all()
        assert (read.start <= read.end).all()
        assert read.end.max(initial=0) <= MAX_QUARTERS * read.division
        assert read.pitch.max(initial=0) <= 127
        return read
    return None


@settings(max_examples=60)
@given(st.binary(max_size=200), st.integers(0, 0xFFFF), st.integers(0, 3))
def test_any_bytes_are_read_or_refused(data: bytes, division: int, tracks: int) -> None:
    read_or_refuse(data)
    read_or_refuse(midi(data, division=division, tracks=tracks))
    read_or_refuse(midi(chunk(b"MTrk", data), division=division))


VALID = midi(
    track(meta(0, 0x03, b"name"), meta(0, 0x51, b"\x07\xa1\x20"), event(0, 0xF0, 2, 0x7E, 0xF7)),
    track(event(0, 0xC0, 5), on(300, 60), on(0, 64), event(20, 0xE0, 0, 64), event(200, 60, 0), off(9, 64)),
)


@settings(max_examples=80)
@given(st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 2), st.binary(max_size=4)), max_size=4))
def test_a_changed_file_is_read_or_refused(changes: list[tuple[int, int, bytes]]) -> None:
    data = VALID
    for place, drop, put in changes:
        data = data[:place] + put + data[place + drop :]
    read_or_refuse(data)


def test_real_files_changed_at_random_are_read_or_refused() -> None:
    archive = data_folder() / "music-midi" / "Nottingham.zip"
    generator = np.random.default_rng(5)
    outcomes = {True: 0, False: 0}
    with zipfile.ZipFile(archive) as opened:
        for name in generator.choice(opened.namelist(), 40, replace=False):
            for _ in range(10):
                data = bytearray(opened.read(name))
                for _ in range(generator.choice([1, 1, 4, 30])):
                    place = int(generator.integers(len(data)))
                    data[place : place + int(generator.integers(2))] = generator.bytes(generator.integers(3))
                outcomes[read_or_refuse(bytes(data)) is None] += 1
    assert min(outcomes.values()) > 20


def test_numbers_are_written_as_the_standard_does() -> None:
    """The examples of the MIDI 1.0 specification, to trust the helper."""
    known = {0x40: "40", 0x7F: "7f", 0x80: "8100", 0x2000: "c000", 0x1FFFFF: "ffff7f", 0x0FFFFFFF: "ffffff7f"}
    assert {value: number(value).hex() for value in known} == known
