"""Reports made again from folders of tables, one or several at once; if one folder is wrong, nothing is written."""

from functools import partial
from pathlib import Path

import pytest

from infra.errors import ConfigurationError, IntegrityError
from tasks.publishing import rebuild as module
from tasks.publishing.placing import place
from tasks.publishing.rebuild import read_folders, rebuild
from tasks.report import estimate
from tasks.report.kept import kept_files
from tests.tasks.report.pages_made import of_variants, small_results, undrawn

WORDS = "folk-tunes-words"


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    return kept_files(of_variants(small_results(WORDS), WORDS, "rnn/softmax/SGD", "rnn/softmax/SGD+C"))


@pytest.fixture
def source(tmp_path: Path, kept) -> Path:
    for folder in ("one", "deep/pulled/tables"):
        place(kept, tmp_path / "from" / folder)
    (tmp_path / "from" / "notes.md").write_text("beside them")
    return tmp_path / "from"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("tasks.report.estimate", partial(estimate, resamples=50))
    with undrawn():
        yield


@pytest.mark.integration
def test_each_folder_of_tables_becomes_the_report_that_they_are_of(source, tmp_path, quick, kept):
    said: list[str] = []
    pages = rebuild(source, tmp_path / "to", said.append)
    assert [page.relative_to(tmp_path / "to").as_posix() for page in pages] == [
        "deep/pulled/index.html",
        "one/index.html",
    ]
    assert [line.split(",")[0] for line in said] == [f"making the report of {WORDS}"] * 2
    made = [_files_of(page.parent) for page in pages]
    assert made[0] == made[1]
    assert {name.removeprefix("tables/"): data for name, data in made[0].items() if name.startswith("tables/")} == kept
    # of one folder the report is in the folder asked for; made from itself, it has the same bytes again
    assert rebuild(pages[0].parent, tmp_path / "again", lambda _: None) == [tmp_path / "again" / "index.html"]
    assert _files_of(tmp_path / "again") == made[0]


def _files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_a_folder_stands_for_itself(source):
    assert list(read_folders(source / "one")) == list(read_folders(source / "deep" / "pulled" / "tables")) == ["."]
    assert list(read_folders(source / "deep" / "pulled")) == ["."]


def test_where_one_of_several_is_damaged_nothing_is_written(source, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "build_report", lambda _: pytest.fail("all are read first"))
    (source / "one" / "trials.parquet").write_bytes(b"PAR1")
    with pytest.raises(IntegrityError, match=rf"^{source}/one/trials\.parquet: is not the table that"):
        rebuild(source, tmp_path / "to", lambda _: None)
    assert not (tmp_path / "to").exists()


def test_a_folder_that_lost_its_index_is_not_passed_over(source):
    (source / "one" / "tables.json").unlink()
    with pytest.raises(IntegrityError, match=rf"^{source}/one/tables\.json: is missing; take"):
        read_folders(source)


def test_a_folder_that_is_none_or_has_no_tables_is_told(source, tmp_path):
    for path in (tmp_path / "nowhere", source / "notes.md"):
        with pytest.raises(ConfigurationError, match=f"^{path}: is no folder; give --from"):
            read_folders(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=r"empty: no tables\.json in it or below; `prefect run pull --tables"):
        read_folders(tmp_path / "empty")


def test_a_folder_that_cannot_be_read_is_told(source, monkeypatch):
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigurationError, match=rf"^{source}/.*: cannot be read \(Permission denied\); mend"):
        read_folders(source)


def test_what_is_there_already_is_not_written_over(source, tmp_path, quick):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="holds something else already"):
        rebuild(source / "one", tmp_path / "to", lambda _: None)
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["mine.txt"]
