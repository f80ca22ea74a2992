"""A continuation as JSON and as a file, and back."""

import io
import json
from dataclasses import replace

import numpy as np
import pretty_midi
import pytest

from infra.errors import IntegrityError
from tasks.trials.continuation import Continuation

MUSIC = Continuation(
    key="1" * 64, variant="rnn/bernoulli/SGD", corpus="2" * 64, kind="music", seed=3, piece="BWV 1", given=2, asked=2,
    steps=((60, 64), (60,), (), (21, 108)), quarters=1.0,
)  # fmt: skip
WORDS = replace(
    MUSIC, variant="rnn/softmax/SGD", kind="words", steps=("a", "<unk>", "<eos>", "é\U0001f3b5"), quarters=None
)
CHARACTERS = replace(WORDS, kind="characters", steps=("a", " ", "\n", "b"))


@pytest.mark.parametrize("made", [MUSIC, WORDS, CHARACTERS])
def test_json_gives_it_back(made):
    assert Continuation.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_another_format_is_refused():
    with pytest.raises(IntegrityError, match=r"^sample of 1{64}: of another version; delete it, run again$"):
        Continuation.from_json(MUSIC.to_json() | {"format": 2})


@pytest.mark.parametrize(("made", "changed", "reason"), [
    (MUSIC, {"steps": [[60], [109]]}, "a note that no key has"),
    (MUSIC, {"steps": [[60], [20]]}, "a note that no key has"),
    (MUSIC, {"steps": [[60], [60.5]]}, "a note that no key has"),
    (MUSIC, {"steps": [[60], "C4"]}, "a note that no key has"),
    (MUSIC, {"steps": [[60]]}, "2 steps given of 1"),
    (MUSIC, {"given": -1}, "-1 steps given of 4"),
    (MUSIC, {"quarters": None}, "a frame of None quarter notes"),
    (MUSIC, {"quarters": 0}, "a frame of 0 quarter notes"),
    (MUSIC, {"quarters": float("inf")}, "a frame of inf quarter notes"),
    (WORDS, {"steps": ["a", [60]]}, "a step is no symbol"),
])  # fmt: skip
def test_what_can_be_neither_shown_nor_played_is_refused(made, changed, reason):
    with pytest.raises(ValueError, match=rf"^sample of 1{{64}}: {reason}$"):
        Continuation.from_json(made.to_json() | changed)


def test_the_roll_has_the_notes_of_every_frame():
    roll = MUSIC.piano_roll
    assert (roll.shape, roll.dtype) == ((4, 88), np.uint8)
    assert [tuple(np.flatnonzero(frame) + 21) for frame in roll] == [(60, 64), (60,), (), (21, 108)]


def test_music_is_a_midi_file():
    assert MUSIC.file_name == "sample.mid"
    (piano,) = pretty_midi.PrettyMIDI(io.BytesIO(MUSIC.to_bytes())).instruments
    assert sorted((note.pitch, round(note.start / 0.6), round(note.end / 0.6)) for note in piano.notes) == [
        (21, 3, 4),
        (60, 0, 2),
        (64, 0, 1),
        (108, 3, 4),
    ]


@pytest.mark.parametrize(("made", "text"), [(WORDS, "a <unk>\né\U0001f3b5"), (CHARACTERS, "a \nb")])
def test_text_is_utf8(made, text):
    assert (made.file_name, made.text, made.to_bytes()) == ("sample.txt", text, text.encode())
