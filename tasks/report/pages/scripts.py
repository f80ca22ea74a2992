"""The script of the pages: files of plain JavaScript, one after the other inside one block.

The first lines of each file state its purpose. The page's content security policy allows this script and no other. The
script only adds to the page, and puts text into it as text, never as markup. It reads its data from attributes
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
    """All files as one script, whose names are visible to nothing else."""
    parts = [(_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in FILES]
    return '\n"use strict";\n{\n' + "\n".join(parts) + "}\n"


@cache
def script_hash() -> str:
    """The hash by which the content security policy allows the script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(page_script().encode()).digest()).decode()}"
