"""The results of a report as files of tidy tables, and back, so that the report can be made again without a store.

    tables/   trials.parquet  curves.parquet  diagnostics.parquet  pieces.parquet  tables.json

`tables.json` has everything else, the number of rows and the sha256 of each table, and a checksum of itself. The counts
of a corpus are kept. Its pieces are not, since licences may forbid passing them on; nor are the samples, which begin
with pieces. What this does not do: read or write a folder (`tasks/publishing/rebuild.py`).
"""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from infra.errors import IntegrityError
from infra.store import with_checksum
from tasks.report.numbers.portrait import Portrait
from tasks.report.numbers.results import COLUMNS, Results

FOLDER = "tables"
"""Where they lie in a report."""
INDEX = "tables.json"
_SCHEMA = "counterpoint.tables"
# Raised when a column or a key changes its meaning or disappears; a new one does not raise it.
_VERSION = 1
_MEND = "take the whole folder again from where it came from"
_REBUILT = "rebuilt"


def table_file(name: str) -> str:
    """The file of a table."""
    return f"{name}.parquet"


def kept_files(results: Results) -> dict[str, bytes]:
    """The tables of a campaign and the rest of what its report is made from, by file name; equal results, equal bytes.

    The hyper-parameters of the techniques are JSON in their column.
    """
    tables = {name: getattr(results, name)[list(columns)] for name, columns in COLUMNS.items()}
    tables["trials"] = tables["trials"].assign(techniques=tables["trials"]["techniques"].map(json.dumps))
    files = {table_file(name): _to_parquet(table) for name, table in tables.items()}
    index = {
        "schema": _SCHEMA,
        "schema_version": _VERSION,
        "tables": {
            name: {"rows": len(table), "sha256": hashlib.sha256(files[table_file(name)]).hexdigest()}
            for name, table in tables.items()
        },
        "campaign": results.campaign,
        "corpora": results.corpora,
        "portraits": {
            name: {"shares": portrait.shares, "common": portrait.common} for name, portrait in results.portraits.items()
        },
        "provenance": {name: value for name, value in results.provenance.items() if name != _REBUILT},
        "failures": results.failures,
    }
    # Through JSON first: the checksum is of the values that will be read.
    values = with_checksum(json.loads(json.dumps(index)))
    return {**files, INDEX: json.dumps(values, allow_nan=False, indent=1).encode()}


def results_of(files: Mapping[str, bytes], where: str, code: Mapping[str, Any]) -> Results:
    """The results that `kept_files` wrote, without pieces and samples.

    Args:
        files: bytes by name; other files are ignored.
        where: the folder, for errors.
        code: `commit` and `dirty` of the code that reads them (`infra/provenance.py`); they are shown beside those of
            the code that measured.

    Raises:
        IntegrityError: a file is missing, is not the one that was written, or is of another version.
    """
    try:
        return _results_of(files, where, code)
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # checksums fit what somebody made up
        reason = " ".join(str(error).split()) or type(error).__name__
        raise IntegrityError(f"{where}: cannot be read here: {reason[:200]}; {_MEND}") from error


def _results_of(files: Mapping[str, bytes], where: str, code: Mapping[str, Any]) -> Results:
    index = _index(files.get(INDEX), f"{where}/{INDEX}")
    tables = {}
    for name, columns in COLUMNS.items():
        tables[name] = _table(files, table_file(name), index["tables"].get(name, {}), where)
        if missing := [column for column in columns if column not in tables[name]]:
            raise IntegrityError(f"{where}/{table_file(name)}: has no column {', '.join(missing)}; {_MEND}")
    trials = tables["trials"]
    tables["trials"] = trials.assign(techniques=trials["techniques"].map(json.loads).astype(object))
    return Results(
        **tables,
        corpora=index["corpora"],
        portraits={name: _portrait(**told) for name, told in index["portraits"].items()},
        campaign=index["campaign"],
        provenance=index["provenance"] | {_REBUILT: {name: code[name] for name in ("commit", "dirty")}},
        failures=index["failures"],
    )


def _portrait(shares: list[float], common: list[tuple[str, int]]) -> Portrait:
    return Portrait(shares=tuple(shares), common=tuple((symbol, times) for symbol, times in common))


def _index(data: bytes | None, where: str) -> dict[str, Any]:
    if data is None:
        raise IntegrityError(f"{where}: is missing; {_MEND}")
    try:
        values = json.loads(data)
        schema, version = values["schema"], values["schema_version"]
        told = {name: value for name, value in values.items() if name != "checksum"}
        sound = with_checksum(told) == values
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise IntegrityError(f"{where}: is not the index of tables; {_MEND}") from error
    if not sound:
        raise IntegrityError(f"{where}: changed after it was written; {_MEND}")
    if (schema, version) != (_SCHEMA, _VERSION):
        raise IntegrityError(
            f"{where}: {schema} of version {version}, and this installation reads {_SCHEMA} of version {_VERSION}; "
            "install the Counterpoint that wrote it"
        )
    return told


def _table(files: Mapping[str, bytes], name: str, told: Mapping[str, Any], where: str) -> pd.DataFrame:
    if (data := files.get(name)) is None:
        raise IntegrityError(f"{where}/{name}: is missing; {_MEND}")
    if hashlib.sha256(data).hexdigest() != told.get("sha256"):
        raise IntegrityError(f"{where}/{name}: is not the table that {INDEX} names, by its sha256; {_MEND}")
    return pd.read_parquet(io.BytesIO(data))


def _to_parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), buffer, compression="zstd")
    return buffer.getvalue()
