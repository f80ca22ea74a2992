"""ABC notation as notes: each rule of the standard by hand, and nothing that makes it fail."""

import numpy as np
import pytest

from tasks.corpus.abc_melody import TICKS, melody

EIGHTH = TICKS // 8


def _notes(text: str) -> list[tuple[int, float, float]]:
    """MIDI number, beginning and length, in eighths."""
    return [(each.note, each.start / EIGHTH, (each.end - each.start) / EIGHTH) for each in melody(text)]


def _pitches(text: str) -> list[int]:
    return [note for note, _, _ in _notes(text)]


@pytest.mark.parametrize(("text", "pitches"), [
    ("C, C c c'", [48, 60, 72, 84]), ("C,, c''", [36, 96]),
    ("^C _E =F ^^G __A", [61, 63, 65, 69, 67]),
    ("K:G\nF f C", [66, 78, 60]), ("K:F\nB", [70]), ("K:Bb\nB E A", [70, 63, 69]), ("K:F#\nE B", [65, 71]),
    ("K:Am\nF", [65]), ("K:Ador\nF C", [66, 60]), ("K:A Mixolydian\nG C", [67, 61]), ("K:Eminor\nF", [66]),
    ("K:Hp\nF", [65]), ("K:none\nF", [65]), ("K:\nF", [65]),
    ("K:G\n=F F | F f", [65, 65, 66, 78]), ("^C C c | C", [61, 61, 72, 60]),
    ("[K:D]F C [K:C] F", [66, 61, 65]),
    ("C,,,,,,,,", [24]), ("c" + 6 * "'", [108]),
])  # fmt: skip
def test_pitches(text, pitches):
    assert _pitches(text) == pitches


@pytest.mark.parametrize(("text", "lengths"), [
    ("A A2 A/ A/2 A3/2 A// A/4 A0", [1, 2, 0.5, 0.5, 1.5, 0.25, 0.25, 1]),
    ("L:1/4\nA", [2]), ("L:1/16\nA", [0.5]), ("M:2/4\nA", [0.5]), ("M:3/4\nA", [1]), ("M:C|\nA", [1]),
    ("M:6/8\nA", [1]),
    ("L:1/0\nA", [1]), ("M:2/4\nL:1/8\nA", [1]),
    ("A>B A<B", [1.5, 0.5, 0.5, 1.5]), ("A>>B A>>>B", [1.75, 0.25, 1.875, 0.125]), ("A2>B2", [3, 1]),
    ("(3ABc A", [2 / 3, 2 / 3, 2 / 3, 1]), ("(2AB", [1.5, 1.5]), ("(4ABcd A", [0.75] * 4 + [1]),
    ("(3:2:2AB A", [2 / 3, 2 / 3, 1]), ("(3:4ABc", [4 / 3] * 3),
    ("A999", [32]),
])  # fmt: skip
def test_lengths(text, lengths):
    assert [length for _, _, length in _notes(text)] == pytest.approx(lengths, abs=0.03)


@pytest.mark.parametrize(("text", "notes"), [
    ("A z B x2 c", [(69, 0, 1), (71, 2, 1), (72, 5, 1)]),
    ("[CEG]2 A", [(60, 0, 2), (64, 0, 2), (67, 0, 2), (69, 2, 1)]), ("[C2E2] A", [(60, 0, 2), (64, 0, 2), (69, 2, 1)]),
    ("A-A B", [(69, 0, 2), (71, 2, 1)]), ("A-|A-A B", [(69, 0, 3), (71, 3, 1)]), ("A-B", [(69, 0, 1), (71, 1, 1)]),
    ("[CE]-[CG]", [(64, 0, 1), (60, 0, 2), (67, 1, 1)]),
    ('"Am"A !trill!B {gab}c %A\nd', [(69, 0, 1), (71, 1, 1), (72, 2, 1), (74, 3, 1)]),
    ("R:Hornpipe\nQ:120\nA |: B :|1 c", [(69, 0, 1), (71, 1, 1), (72, 2, 1)]),
    ("> ( - :| [ ] ^ 7 [] (3", []),
])  # fmt: skip
def test_what_sounds_when(text, notes):
    assert _notes(text) == notes


def test_a_note_knows_its_letter():
    text = "K:G\n^c/ [ce] A-A"
    assert [(text[each.place], each.place) for each in melody(text)] == [("c", 5), ("c", 9), ("c", 9), ("A", 13)]


def test_whatever_a_network_writes_is_some_tune():
    chance = np.random.default_rng(0)
    for _ in range(60):
        text = "".join(chance.choice(list("ABCDEFGabcdefgzx|:[]()^_=,'/0123456789<>-{}\"!%\nKLM: "), 150))
        for each in melody(text):
            assert 21 <= each.note <= 108
            assert 0 <= each.start < each.end
            assert 0 <= each.place < len(text)
