"""Shared parts of the report's pages: filling a template, the style sheet, and facts as pairs of texts.

The template escapes every text, except for the drawings, the style sheet and the script.
"""

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from tasks.report.numbers.formatting import duration, first_line, moment, plural, visible
from tasks.report.numbers.verdicts import VERDICT_WORDS
from tasks.report.pages.scripts import page_script, script_hash

_HERE = Path(__file__).parent
FONT = "Counterpoint Sans"
PAPER = "https://arxiv.org/abs/1212.0901"
# A longer list inside the facts would push the rest of the page away.
_MOST_FACTS = 12


def fill_template(name: str, **values: Any) -> str:
    """A whole page as text.

    Args:
        name: of the template, in this folder.
        values: the values of its names. Every template also gets `style`, the style sheets, `script` with its
            `script_hash`, and `paper`, the paper's address.
    """
    sheets = [
        (_HERE / f"{name}.css").read_text(encoding="utf-8") for name in ("style", "tunes", "teaching", "controls")
    ]
    ours = {"style": Markup("".join([_font_faces(), *sheets])), "script": Markup(page_script())}  # noqa: S704  # our files
    return _environment().get_template(name).render(script_hash=script_hash(), paper=PAPER, **ours, **values)


@cache  # it keeps the templates that it compiled, a fifth of a second for all pages
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "duration": duration, "first_line": first_line, "plural": plural}
    environment.filters |= {"breakable": breakable, "visible": visible}
    environment.globals["verdict_words"] = VERDICT_WORDS
    return environment


def _font_faces() -> str:
    """The two faces of the font, inside the page: charts were measured in it, and other fonts have other widths."""
    faces = []
    for face, weight in (("regular", 400), ("bold", 700)):
        data = base64.b64encode((_HERE / "fonts" / f"sans-{face}.woff2").read_bytes()).decode()
        source = f'url(data:font/woff2;base64,{data}) format("woff2")'
        faces.append(f'@font-face {{ font-family: "{FONT}"; font-weight: {weight}; src: {source}; }}\n')
    return "".join(faces)


def breakable(names: str) -> Markup:
    """Names of variants that may be broken after a slash and before a plus.

    >>> breakable("rnn/nade/SGD+C")
    Markup('rnn/<wbr>nade/<wbr>SGD<wbr>+C')
    """
    return Markup(str(escape(names)).replace("/", "/<wbr>").replace("+", "<wbr>+"))  # noqa: S704  # escaped before


def facts(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as a flat list of names and texts; empty values are left out, and long ones are counted."""
    told: list[tuple[str, str]] = []
    for name, value in values.items():
        title = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping) and len(value) > _MOST_FACTS:
            told.append((title, f"{len(value)}, each named in results.json"))
        elif isinstance(value, Mapping):
            told += facts(value, f"{title}: ")
        elif isinstance(value, bool):
            told.append((title, "yes" if value else "no"))
        elif isinstance(value, list | tuple):
            told += [(title, ", ".join(map(str, value)))] if value else []
        elif value not in (None, ""):
            told.append((title, visible(str(value))))
    return told
