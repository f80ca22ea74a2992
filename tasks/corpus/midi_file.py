"""Write a piano-roll as a MIDI file to listen to, with pretty_midi.

A note that is on in consecutive frames is written as one note, since a roll cannot distinguish a held note from a
repeated one. What this does not do: read MIDI (`tasks/ingest/readers/midi.py`).
"""

import io
from collections.abc import Sequence

from tasks.corpus.piano_roll import Run

TEMPO = 100
"""Quarter notes a minute."""
PIANO, VELOCITY = 0, 80


def midi_file(runs: Sequence[Run], quarters: float, given: int) -> bytes:
    """The bytes of a MIDI file: one track, a piano.

    Args:
        runs: (MIDI number, start, end) of each note, in frames.
        quarters: length of a frame in quarter notes.
        given: number of frames of the original before those that the network generated; a text event marks their end.
    """
    import pretty_midi  # imported only when a file is written, not by every worker that starts

    seconds = 60 / TEMPO * quarters
    file = pretty_midi.PrettyMIDI(initial_tempo=TEMPO)
    piano = pretty_midi.Instrument(PIANO, name="piano")
    piano.notes = [pretty_midi.Note(VELOCITY, note, start * seconds, end * seconds) for note, start, end in runs]
    file.instruments.append(piano)
    file.text_events.append(pretty_midi.Text("the network goes on from here", given * seconds))
    buffer = io.BytesIO()
    file.write(buffer)
    return buffer.getvalue()
