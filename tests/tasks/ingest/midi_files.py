"""MIDI files, byte by byte: odd ones too, which no library would write."""

Event = bytes


def number(value: int) -> bytes:
    """A number of variable length."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127 | 128)
    return bytes(reversed(groups))


def event(delta: int, *data: int) -> Event:
    """An event after so many ticks; without a status byte the running status counts."""
    return number(delta) + bytes(data)


def on(delta: int, pitch: int, channel: int = 0, velocity: int = 64) -> Event:
    """A note-on."""
    return event(delta, 0x90 | channel, pitch, velocity)


def off(delta: int, pitch: int, channel: int = 0) -> Event:
    """A note-off."""
    return event(delta, 0x80 | channel, pitch, 0)


def meta(delta: int, kind: int, data: bytes) -> Event:
    """A meta event."""
    return event(delta, 0xFF, kind) + number(len(data)) + data


END = meta(0, 0x2F, b"")


def track(*events: Event, end: Event = END) -> bytes:
    """A track chunk."""
    return chunk(b"MTrk", b"".join(events) + end)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Any chunk."""
    return kind + len(data).to_bytes(4) + data


def midi(*chunks: bytes, division: int = 480, form: int = 1, tracks: int | None = None) -> bytes:
    """A file: its header, then the chunks."""
    count = len(chunks) if tracks is None else tracks
    header = form.to_bytes(2) + count.to_bytes(2) + division.to_bytes(2)
    return chunk(b"MThd", header) + b"".join(chunks)


def tune(pitches: list[int], length: int = 240, division: int = 480, rest: int = 240) -> bytes:
    """A file of one voice: the pitches one after another, after a rest."""
    events = [part for pitch in pitches for part in (on(0, pitch), off(length, pitch))]
    return midi(track(event(rest, 0xFF, 0x01, 0), *events), division=division)
