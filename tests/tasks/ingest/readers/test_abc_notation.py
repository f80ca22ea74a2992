from tasks.ingest.readers.abc_notation import Tune, melody_steps, split_tunes

BOOK = """% A book

free text of the editor
X: 7
T: The First
T: Its Other Name
M: 6/8
N: collected somewhere
Z: somebody@example.org
R: jig
K: D
% a comment
ABc d2e|  \nf|"D"g !trill!a {b}f [K:G]e:|

this is not music
X:8
T:The Second
K:G
G\\
A
X:9
K:C
"""


def test_tunes_run_from_their_number_to_an_empty_line_or_the_next_number() -> None:
    first, second, third = split_tunes(BOOK)
    assert first.lines == ("M: 6/8", "R: jig", "K: D", "ABc d2e|", 'f|"D"g !trill!a {b}f [K:G]e:|')
    assert second.lines == ("K:G", "G\\", "A")
    assert third.lines == ("K:C",)
    assert [tune.title for tune in (first, second, third)] == ["7 The First", "8 The Second", "9"]


def test_no_word_about_the_editor_is_left() -> None:
    text = "\n".join(line for tune in split_tunes(BOOK) for line in tune.lines)
    for word in ("somebody", "collected", "comment", "free text", "not music", "The First"):
        assert word not in text


def test_chords_decorations_grace_notes_and_fields_are_no_melody() -> None:
    assert melody_steps(split_tunes(BOOK)[0]) == (1, 1, 1, 1, 1, 1, 1, -2, -1)


def test_octaves_count_and_transposing_on_the_staff_changes_nothing() -> None:
    low = melody_steps(Tune("", ("K:C", "C, C c c'", "D|E")))
    assert low == (7, 7, 7, -13, 1)
    assert melody_steps(Tune("", ("K:D", "D, D d d'", "E|F"))) == low


def test_a_book_without_a_tune_has_none() -> None:
    assert split_tunes("only words\n\n") == []
