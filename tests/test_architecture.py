"""The tree in docs/architecture.md is that of the checkout: rooms with what they are for, and the files in them.

`python -m tests.test_architecture` writes it anew.
"""

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tested in tests/test_architecture.py -->\n```\n", "```\n"
MOST = 16
"""Files of a room, its `__init__` not counted: more are no room that one knows by heart."""


def rooms() -> Iterator[tuple[Path, str, list[str]]]:
    """Each folder of code, the first line of its docstring, and its files."""
    for top in ("flows", "tasks", "models", "infra"):
        for init in sorted((ROOT / top).rglob("__init__.py")):
            folder = init.parent
            told = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""
            files = sorted(path.stem for path in folder.glob("*.py") if path != init)
            yield folder.relative_to(ROOT), told.split("\n")[0], files


def tree() -> str:
    lines, named = [], {ROOT}
    for folder, told, files in rooms():
        deep = "    " * (len(folder.parts) - 1)
        name = folder.name if (ROOT / folder).parent in named else "/".join(folder.parts[-2:])
        named.add(ROOT / folder)
        lines += textwrap.wrap(f"{name}/  {told}", 118, initial_indent=deep, subsequent_indent=f"{deep}        ")
        lines += textwrap.wrap(" ".join(files), 118, initial_indent=f"{deep}    ", subsequent_indent=f"{deep}    ")
    return "\n".join(lines) + "\n"


def test_the_tree_of_the_document_is_that_of_the_checkout() -> None:
    written = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written == tree(), "python -m tests.test_architecture writes it anew"


def test_every_room_says_what_it_is_for_and_has_few_files() -> None:
    for folder, told, files in rooms():
        assert len(told) > 20, folder
        assert len(files) <= MOST, folder


if __name__ == "__main__":
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + tree() + END + rest.partition(END)[2], encoding="utf-8")
