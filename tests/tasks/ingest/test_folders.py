"""Folders as sources: read like an archive, and what no folder of data holds."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.errors import CorpusError
from tasks.ingest import members
from tasks.ingest.archives import read_folder, read_source
from tests.tasks.ingest.packing import FILES, zipped


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_a_folder_is_read_like_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "x", FILES | {".hidden": b"x", "train/.hidden/a": b"x"})
    assert read_source(str(tmp_path)) == FILES
    with pytest.raises(CorpusError, match="a folder has no sha256"):
        read_source(str(tmp_path), sha256="0" * 64)
    with pytest.raises(CorpusError, match="over the limit of 9 bytes"):
        read_folder(tmp_path, largest=9)
    monkeypatch.setattr(members, "MEMBERS", 5)
    with pytest.raises(CorpusError, match="over 5 members"):  # three folders, three files
        read_folder(tmp_path)


def test_what_no_folder_of_data_holds(tmp_path: Path) -> None:
    outside = write(tmp_path, {"outside": b"secret"}) / "outside"
    folder = write(tmp_path / "songs", FILES)
    (folder / "again.mid").symlink_to(folder / "train/a.mid")
    assert read_folder(folder)["again.mid"] == FILES["train/a.mid"]
    for target in (outside, folder / "train", folder / "evil", Path("/")):
        (folder / "evil").symlink_to(target)
        with pytest.raises(CorpusError, match="'evil' is a link to a folder or out of|levels of symbolic links"):
            read_folder(folder)
        (folder / "evil").unlink()
    os.mkfifo(folder / "evil")
    with pytest.raises(CorpusError, match="a device or a pipe"):
        read_folder(folder)
    (folder / "evil").unlink()
    write(folder, {"evil": zipped(FILES)})
    with pytest.raises(CorpusError, match="is an archive within"):
        read_folder(folder)
    assert read_folder(folder, wanted=lambda name: name.startswith("train/")).keys() == {"train/a.mid", "train/b.mid"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no file in it"):
        read_folder(tmp_path / "empty")
    with pytest.raises(CorpusError, match="No such file"):
        read_folder(tmp_path / "missing")
