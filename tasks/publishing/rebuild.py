"""Make reports again from folders of their tables: no store, no corpus, no training, the same statistics.

A folder of tables is one with any file of `tasks/report/kept.py` in it: what `prefect run pull --tables` copied, a
whole report that was pulled, or `docs/results` of this repository, which has several below it. What this does not do:
compute or draw anything itself (`tasks/report`), or publish (`publish.py`).
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
    """What each folder of tables in a folder has, by its path below it, sorted; `.` for the folder itself.

    Raises:
        ConfigurationError: it is no folder, has no tables, or cannot be read.
        IntegrityError: a table is missing or damaged, or of another version.
    """
    source = Path(source)
    if not source.is_dir():
        raise ConfigurationError(f"{source}: is no folder; give --from the folder that has {INDEX}")
    try:
        # also where the index alone is gone: what is left of a folder of tables must not go unnoticed
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
    """Make the report of every folder of tables in a folder again; all of them are written, or nothing is.

    Args:
        source: the folder.
        to: the folder to make: of one report it has its files, of several a folder each, named as in the source.
        say: is called with a line before each is made.

    Returns:
        The absolute paths of the pages.

    Raises:
        ConfigurationError: of `read_folders`; or the folder to make holds something else or cannot be made.
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
    """The folder of a report stands for the tables in it."""
    return (folder.parent if folder.name == FOLDER and folder != source else folder).relative_to(source).as_posix()


def _read(folder: Path) -> Results:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return results_of(files, str(folder), provenance())
