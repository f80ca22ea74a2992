"""Tables as CSV: UTF-8, commas, a line feed after each row, and no text that a spreadsheet takes for a formula.

Names of corpora, pieces and variants may come from other people. A spreadsheet computes a cell that begins with
= + - or @, so such a text gets an apostrophe in front (OWASP, "CSV Injection"), and an invisible character is written
out. Numbers, also negative ones, stay numbers, with as many digits as reading the same number back needs.
"""

import csv
import io
from typing import Any

import pandas as pd

from tasks.report.numbers.estimates import Estimates
from tasks.telling.wording import visible

FILE = "scores.csv"
"""The file of a report."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def scores_csv(estimates: Estimates) -> bytes:
    """The table of scores, one row for each corpus, variant and metric; the columns are those of `results.parquet`."""
    return to_csv(estimates.scores)


def to_csv(table: pd.DataFrame) -> bytes:
    r"""A table with a heading; a missing value is an empty cell; equal tables give equal bytes.

    >>> to_csv(pd.DataFrame({"corpus": ["=1+1"], "mean": [-0.1], "low": [float("nan")], "held": [True]})).decode()
    "corpus,mean,low,held\n'=1+1,-0.1,,true\n"
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_cell(str(name)) for name in table.columns])
    writer.writerows([_cell(value) for value in row] for row in table.astype(object).itertuples(index=False))
    return buffer.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        text = visible(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    if pd.isna(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
