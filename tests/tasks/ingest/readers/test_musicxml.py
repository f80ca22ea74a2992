import io
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from infra.errors import CorpusError
from tasks.ingest.readers.musicxml import read_parts
from tests.tasks.ingest import scores
from tests.tasks.ingest.scores import divisions, heard, mxl, rest, score


def read(*parts: list[str]) -> list[list[scores.Heard]]:
    return [heard(part.notes) for part in read_parts("a.xml", score(*parts).encode())]


def test_notes_follow_each_other_and_rests_take_time() -> None:
    measure = divisions(2) + scores.note("C", 4, 2) + rest(1) + scores.note("B", 3, 3, alter=-1)
    assert read([measure]) == [[(0, 1, 60), (Fraction(3, 2), 3, 58)]]


def test_a_chord_begins_with_its_first_note() -> None:
    measure = divisions(1) + scores.note("C", 4, 2) + scores.note("E", 4, 2, "<chord/>") + scores.note("G", 4, 1)
    assert read([measure]) == [[(0, 2, 60), (0, 2, 64), (2, 3, 67)]]


def test_backup_and_forward_move_in_time() -> None:
    voices = scores.note("C", 5, 4) + "<backup><duration>4</duration></backup>"
    voices += "<forward><duration>1</duration></forward>" + scores.note("C", 3, 1)
    assert read([divisions(1) + voices, scores.note("D", 5, 1)]) == [[(0, 4, 72), (1, 2, 48), (4, 5, 74)]]


def test_grace_notes_take_no_time_and_are_left_out() -> None:
    grace = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
    assert read([divisions(1) + grace + scores.note("C", 4, 1)]) == [[(0, 1, 60)]]


def test_divisions_may_change() -> None:
    measures = [divisions(1) + scores.note("C", 4, 1), divisions(6) + scores.note("D", 4, 2)]
    assert read(measures) == [[(0, 1, 60), (1, Fraction(4, 3), 62)]]


def test_measures_are_as_long_as_their_longest_voice() -> None:
    measures = [divisions(1) + scores.note("C", 4, 1), scores.note("D", 4, 3)]
    assert read_parts("a.xml", score(measures).encode())[0].measures == (1, 3)


def test_the_compressed_form_is_read_alike() -> None:
    text = score([divisions(1) + scores.note("C", 4, 1)], [divisions(1) + scores.note("E", 4, 1)])
    assert read_parts("a.xml", text.encode()) == read_parts("a.mxl", mxl(text))


def test_what_music21_writes_is_read_as_music21_means_it(tmp_path: Path) -> None:
    from music21 import chord, duration, meter, note, stream, tie

    part = stream.Part([meter.TimeSignature("3/4"), note.Note("F#4", quarterLength=2 / 3)])
    tied = note.Note("G4", quarterLength=5)
    tied.tie = tie.Tie("start")
    later = note.Note("G4", quarterLength=1)
    later.tie = tie.Tie("stop")
    part.append([note.Rest(quarterLength=1 / 3), chord.Chord(["C4", "E-4", "G4"]), note.Note("A3").getGrace()])
    part.append([tied, later, note.Note("B4", duration=duration.Duration(0.75))])
    path = tmp_path / "a.musicxml"
    stream.Score([part]).write("musicxml", fp=path)
    ours = [heard(part.notes) for part in read_parts(path.name, path.read_bytes())]
    assert ours == scores.parse_with_music21(path.name, path.read_bytes())
    assert len(ours[0]) > 6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mxl", b"not a zip"),
        ("a.xml", b"<score-partwise>"),
        ("a.xml", b"<score-timewise/>"),
        ("a.xml", score(["<attributes><transpose/></attributes>"]).encode()),
        ("a.xml", score([divisions(0) + scores.note("C", 4, 1)]).encode()),
        ("a.xml", score([divisions(1) + scores.note("H", 4, 1)]).encode()),
        ("a.xml", score([divisions(1) + scores.note("C", 4, 1).replace("<alter>0", "<alter>0.5")]).encode()),
        ("a.xml", score([divisions(1) + "<note><rest/></note>"]).encode()),
    ],
)
def test_what_would_be_read_wrongly_is_refused_in_one_line(name: str, content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"^a\.(mxl|xml): ") as caught:
        read_parts(name, content)
    assert "\n" not in str(caught.value)


def test_a_container_without_a_score_and_a_damaged_one_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
    whole = mxl(score([divisions(1) + scores.note("C", 4, 1)] * 9))
    for data in (packed.getvalue(), whole[:-30], whole.replace(b"PK\x01\x02", b"PK\x01\x03")):
        with pytest.raises(CorpusError, match=r"^a\.mxl: not a readable"):
            read_parts("a.mxl", data)
