"""The scores as Markdown, for Prefect's page of a flow run: a short table a corpus, and where the report is.

Prefect keeps it in its own database; the report itself is in the store. A browser does not open the address of a store,
nor a file from a server's page: it gets a link where COUNTERPOINT_STORE_URL says under which address the files of the
store are served, and the command that copies the report in any case. Numbers come from `results.json`.
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
    """A heading, the answer and a table of the first metric for each corpus, then the address of the report.

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
        said = document["answers"][corpus]
        easier = document.get("ease", {}).get("answers", {}).get(corpus, "")
        told = " ".join(filter(None, [said["best"], said.get("others", ""), easier]))
        parts += [f"## {escape(corpus)}", escape(told)]
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
    """Where the report is: a link where there is one, its address, and what to type for a copy of it."""
    store, _, page = address.rpartition("/reports/")
    version = page.partition("/")[0]
    told = [f"Report: {_code(address)}"]
    told.append(f"A copy of it: {_code(f'prefect run pull {version} --to DIR --store {shlex.quote(store)}')}")
    served = os.environ.get(SERVED_VARIABLE, "").rstrip("/")
    if re.fullmatch(r"https?://[^\s<>()\[\]]+", served):
        return [f"[Open the report]({served}/reports/{page}), [all versions]({served}/{TREND})", *told]
    return [*told, f"All versions: {_code(f'{store}/{TREND}')}"]


def escape(text: str) -> str:
    r"""A text as it stands, on one line, whatever Markdown would make of it.

    >>> escape("a|b`c`"), escape("<b>")
    ('a\\|b\\`c\\`', '\\<b\\>')
    """
    return "".join(f"\\{each}" if each in _SPECIAL else each for each in visible(text))


def _seeds(row: Mapping[str, Any]) -> str:
    """How many seeds have a score, and what became of the others."""
    return ", ".join([seeds_cell(row), *lost_seeds(row)])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(escape, cells))} |"


def _code(text: str) -> str:
    """A span of code, which knows no escapes: its fence is longer than any row of backticks within."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {visible(text)} {fence}" if "`" in text else f"`{visible(text)}`"
