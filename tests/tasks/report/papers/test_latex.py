"""A table in LaTeX: signs that it acts on, and the traps behind its line ends."""

import pytest

from tasks.report.papers.latex import escape, tabular

ACTIVE = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"}
ACTIVE |= {">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"}


def test_every_sign_of_ascii_is_set_as_itself() -> None:
    for sign in map(chr, range(32, 127)):
        assert escape(sign) == ACTIVE.get(sign, f"\\{sign}" if sign in "#$%&_{}" else sign)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("−9.12 [−9.27, −8.98]", "$-$9.12 [$-$9.27, $-$8.98]"),
        ("≈ 3·10⁻⁷ → 50 %", r"$\approx$ 3$\cdot$10$^{-7}$ $\rightarrow$ 50 \%"),
        ("plain SGD’s “best”", "plain SGD's ``best''"),
        ("Dvořák, Łódź", "Dvořák, Łódź"),
        ("中\u202e\n", "[U+4E2D][U+202E][U+000A]"),
        ("½ ♯", "½ [U+266F]"),
    ],
)
def test_signs_of_ours_and_of_other_languages(text: str, told: str) -> None:
    assert escape(text) == told


def test_a_row_that_begins_with_a_bracket_or_a_star_is_no_argument_of_the_line_end() -> None:
    text = tabular(("a", "b"), [("[1]", "x"), ("*", "y"), ("(c)", "z")], "brackets").decode()
    assert "\n{}[1] & x \\\\\n{}* & y \\\\\n(c) & z \\\\\n" in text


def test_a_comment_cannot_be_left() -> None:
    text = tabular(("a",), [("b",)], "one\n\\input{x}").decode()
    assert text.splitlines()[0].startswith("% one")
    assert text.splitlines()[1].startswith("% wants")


def test_a_row_of_another_length_is_a_defect_of_ours() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells below 2 headings"):
        tabular(("a", "b"), [("c",)], "short")
