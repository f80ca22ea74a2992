"""Rebuild reports from folders of their tables, with the same statistics; without a store, a corpus or training.

A folder of tables has any file of `tasks/report/kept.py` in it. It may be a copy by `prefect run pull --tables`, a
whole pulled report, or a folder in `docs/results` of this repository. What this does not do: compute or draw anything
itself (`tasks/report`), or publish (`publish.py`).
"""

from collections.abc import Callable
from pathlib import Path

from infra.errors import ConfigurationError
from infra.provenance import provenance
from tasks.publishing.placing import place
from tasks.report import Results, build_report
from tasks.report.kept import FOLDER, INDEX, results_of, table_file
from tasks.report.numbers.results import COLUMNS


def read_folders(source: Path) -> dict[str, Results]:
    """The results of every folder of tables below a folder, sorted by relative path; `.` is the folder itself.

    Raises:
        ConfigurationError: `source` is not a folder, has no tables, or cannot be read.
        IntegrityError: a table is missing or damaged, or of another version.
    """
    source = Path(source)
    if not source.is_dir():
        raise ConfigurationError(f"{source}: is no folder; give --from the folder that has {INDEX}")
    try:
        # Any of the files counts, so that an incomplete folder of tables does not go unnoticed.
        names = (INDEX, *map(table_file, COLUMNS))
        folders = sorted({path.parent for name in names for path in source.rglob(name)})
        if not folders:
            raise ConfigurationError(
                f"{source}: no {INDEX} in it or below; `prefect run pull --tables --to {source}` copies one of a report"
            )
        return {_name(folder, source): _read(folder) for folder in folders}
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: cannot be read ({error.strerror}); mend it, or copy it") from error


def rebuild(source: Path, to: Path, say: Callable[[str], None]) -> list[Path]:
    """Rebuild the report of every folder of tables below a folder; either all reports are written, or none.

    Args:
        source: the folder.
        to: the folder to make. For one report it has the report's files; for several it has a folder for each, named as
            in the source.
        say: called with a line before each report is made.

    Returns:
        The absolute paths of the pages.

    Raises:
        ConfigurationError: as in `read_folders`; or the folder to make has other contents, or cannot be made.
        IntegrityError: a table is missing or damaged, or of another version.
    """
    read = read_folders(source)
    files: dict[str, bytes] = {}
    pages = []
    for name, results in read.items():
        start = "" if len(read) == 1 else f"{name}/"
        say(f"making the report of {', '.join(results.corpora)}, {len(results.trials):,} trials")
        files |= {f"{start}{file}": data for file, data in build_report(results).items()}
        pages.append(f"{start}index.html")
    to = place(files, to)
    return [to / page for page in pages]


def _name(folder: Path, source: Path) -> str:
    """The relative path of a folder of tables; for a report's own subfolder of tables, that of the report."""
    return (folder.parent if folder.name == FOLDER and folder != source else folder).relative_to(source).as_posix()


def _read(folder: Path) -> Results:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return results_of(files, str(folder), provenance())
