"""The script of the pages: files of plain JavaScript, one after the other inside one block.

Each file begins with what it is for. The page says by its content security policy that this script runs and no other;
it only adds to what is there, and puts text into the page as text, never as markup. What it reads is in attributes
(`charts/telling.py`, the templates), which are escaped like all others.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "scripts"
FILES = (
    *("variants", "formats", "tables", "copying", "sorting", "rows", "axis", "pointing"),
    *("choices", "showing", "chooser", "start", "tunes"),
)


@cache
def page_script() -> str:
    """All files as one script, whose names nobody else sees."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in FILES]
    return '\n"use strict";\n{\n' + "\n".join(parts) + "}\n"


@cache
def script_hash() -> str:
    """What the content security policy calls the script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(page_script().encode()).digest()).decode()}"
