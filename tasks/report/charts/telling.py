"""Data of a chart's marks for the script of the page: the variant, the tooltip, and the position on each axis.

Vega keeps one text for each mark, its description, which becomes the `aria-label` of the drawing. The data pass through
it as JSON. In the page they become attributes that the script reads (`pages/scripts/`):

| attribute | meaning |
|---|---|
| `data-variant` | the variant of the mark: the mark is hidden with its variant |
| `data-told` | the text shown next to the pointer |
| `data-axes` | for a line, or the end of one: name of an axis -> one number for each point |
| `data-values` | for a line: one text for each point, with a bar between them |

Names of other people stay text: first JSON, then an escaped attribute.
"""

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from markupsafe import Markup

_LABEL = re.compile(r' aria-label="([^"]*)"')
_ROLES = re.compile(r' (?:role|aria-\w+)="[^"]*"')
_KEYS = ("variant", "told", "axes", "values")


def words(told: str = "", variant: str = "") -> str:
    """The description of a single mark.

    >>> words("rate 0.01", "rnn/nade/SGD")
    '{"told": "rate 0.01", "variant": "rnn/nade/SGD"}'
    """
    return json.dumps({key: text for key, text in (("told", told), ("variant", variant)) if text})


def of_mark(
    variant: str = "",
    told: str = "",
    axes: Mapping[str, Sequence[float]] | None = None,
    values: Sequence[str] = (),
) -> dict[str, Any]:
    """Properties of an Altair mark that is one line or one area, or whose parts all have the same text.

    Args:
        variant: of the mark.
        told: its name, shown next to the pointer.
        axes: the places of its points: name of the axis -> one number for each point; the first axis is the drawn one.
        values: one text for each point, made from our numbers.
    """
    parts = {"told": told, "variant": variant, "axes": axes, "values": list(values)}
    return {"aria": True, "description": json.dumps({key: part for key, part in parts.items() if part})}


def with_attributes(body: str) -> str:
    """A drawing with the words of its marks as attributes, and without Vega's roles: the whole is one image."""
    return re.sub(r"<\w[^>]*>", lambda tag: _rewritten(tag.group()), body)


def _rewritten(tag: str) -> str:
    label = _LABEL.search(tag)
    told = _parsed(unescape(label.group(1))) if label else {}
    plain = _ROLES.sub("", tag)
    attributes = Markup("").join(Markup(' data-{}="{}"').format(key, _text(told[key])) for key in _KEYS if key in told)
    end = "/>" if plain.endswith("/>") else ">"
    return f"{plain.removesuffix(end)}{attributes}{end}"


def _parsed(label: str) -> dict[str, Any]:
    """The words of a description of ours; nothing of one of Vega's own."""
    if not label.startswith("{"):
        return {}
    told: dict[str, Any] = json.loads(label)
    return told


def _text(part: Any) -> str:
    if isinstance(part, list):
        return "|".join(part)
    return part if isinstance(part, str) else json.dumps(part, separators=(",", ":"), ensure_ascii=False)
