"""What the pages of a report share: how a template is filled, the style sheet, and facts as pairs of texts.

Every text is escaped by the template; only the drawings and the style sheet are taken as they are.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tasks.report.text import duration, first_line, moment, plural, visible

_HERE = Path(__file__).parent
# A longer list inside the facts would push the rest of the page away.
_MOST_FACTS = 12


def fill_template(name: str, **values: Any) -> str:
    """A whole page as text.

    Args:
        name: of the template, in this folder.
        values: what it names; `style`, the style sheet, is given to every one.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "duration": duration, "first_line": first_line, "plural": plural}
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))  # noqa: S704  # our own file
    return environment.get_template(name).render(style=style, **values)


def facts(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as a flat list of names and texts; what is empty is left out, what is long is counted."""
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
