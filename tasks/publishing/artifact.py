"""The scores as Markdown, for Prefect's page of a flow run: a short table for each corpus, and how to open the report.

Prefect keeps this text in its own database; the report itself is in the store. A browser cannot open a store's address,
or a local file from a server's page. So the text has a link only if COUNTERPOINT_STORE_URL gives an address that serves
the store's files. It always has the command that copies the report. The numbers come from `results.json`.
"""

import os
import re
import shlex
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from tasks.publishing.publish import TREND
from tasks.publishing.terminal import difference_cell, legend, score_cell, seeds_cell
from tasks.report.numbers.formatting import lost_seeds, visible
from tasks.report.numbers.metrics import BY_NAME
from tasks.telling.wording import preset_title

SERVED_VARIABLE = "COUNTERPOINT_STORE_URL"
_SPECIAL = frozenset("\\`*_[]<>#|~&")


def score_markdown(document: Mapping[str, Any], address: str) -> str:
    """A heading; for each corpus the answer and a table of its first metric; then the address of the report.

    Args:
        document: `results.json`.
        address: of the report's page.
    """
    campaign = document["campaign"]
    title = preset_title(str(campaign.get("preset", "")), campaign.get("changes", ()))
    parts = [f"# Counterpoint, {escape(title)}"]
    for corpus, rows in groupby(document["scores"], key=lambda row: row["corpus"]):
        scores = list(rows)
        first = [row for row in scores if row["metric"] == scores[0]["metric"]]
        head = ("variant", BY_NAME[scores[0]["metric"]].heading, "better than plain SGD by", "seeds")
        cells = [(row["variant"], score_cell(row), difference_cell(row), _seeds(row)) for row in first]
        answer = document["answers"][corpus]
        easier = document.get("ease", {}).get("answers", {}).get(corpus, "")
        sentences = " ".join(filter(None, [answer["best"], answer.get("others", ""), easier]))
        parts += [f"## {escape(corpus)}", escape(sentences)]
        parts.append("\n".join([_row(head), "|:---|---:|---:|---:|", *map(_row, cells)]))
    if over := (document.get("aggregate") or {}).get("line"):
        parts += ["## Over all corpora", escape(over)]
    parts.append(escape(" ".join(legend(document))))
    if document.get("search"):
        parts.append(escape(document["search"]))
    if document["failures"]:
        parts.append(f"{len(document['failures'])} trials did not come to an end; the report names them.")
    return "\n\n".join([*parts, *_where(address)]) + "\n"


def _where(address: str) -> list[str]:
    """How to open the report: a link if the store is served, the report's address, and the command that copies it."""
    store, _, page = address.rpartition("/reports/")
    version = page.partition("/")[0]
    lines = [f"Report: {_code(address)}"]
    lines.append(f"A copy of it: {_code(f'prefect run pull {version} --to DIR --store {shlex.quote(store)}')}")
    served = os.environ.get(SERVED_VARIABLE, "").rstrip("/")
    if re.fullmatch(r"https?://[^\s<>()\[\]]+", served):
        return [f"[Open the report]({served}/reports/{page}), [all versions]({served}/{TREND})", *lines]
    return [*lines, f"All versions: {_code(f'{store}/{TREND}')}"]


def escape(text: str) -> str:
    r"""A text escaped for Markdown, on one line, so that it is shown literally.

    >>> escape("a|b`c`"), escape("<b>")
    ('a\\|b\\`c\\`', '\\<b\\>')
    """
    return "".join(f"\\{each}" if each in _SPECIAL else each for each in visible(text))


def _seeds(row: Mapping[str, Any]) -> str:
    """The number of seeds with a score, and the status of the other seeds."""
    return ", ".join([seeds_cell(row), *lost_seeds(row)])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"


def _code(text: str) -> str:
    """A Markdown code span. Code has no escapes, so the fence is longer than any run of backticks in the text."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {visible(text)} {fence}" if "`" in text else f"`{visible(text)}`"
