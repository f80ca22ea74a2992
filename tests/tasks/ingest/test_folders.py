"""Folders as sources: read like an archive, and what no folder of data holds."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.errors import CorpusError
from tasks.ingest.building.midi_files import is_midi
from tasks.ingest.sources import members
from tasks.ingest.sources.archives import read_folder, read_source
from tasks.ingest.sources.unread import Unread
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
    found = read_folder(tmp_path, largest=9)
    assert set(found) == {"train/b.mid", "test/a.mid"}
    assert found.unread == Unread({"train/a.mid": "over the limit of 9 bytes"}, {})
    write(tmp_path, {f"notes/{number}.txt": b"x" for number in range(9)})
    monkeypatch.setattr(members, "MEMBERS", 3)
    assert read_folder(tmp_path / "x", wanted=is_midi) == FILES
    assert read_folder(tmp_path, wanted=is_midi).unread.ignored == {".txt": 9}
    with pytest.raises(CorpusError, match="over 3 members"):
        read_folder(tmp_path)


def test_what_is_no_file_is_left_out_by_itself(tmp_path: Path) -> None:
    outside = write(tmp_path, {"outside.mid": b"secret"}) / "outside.mid"
    folder = write(tmp_path / "songs", FILES)
    (folder / "again.mid").symlink_to(folder / "train/a.mid")
    assert read_folder(folder)["again.mid"] == FILES["train/a.mid"]
    for target in (outside, folder / "evil.mid", folder / "nowhere"):
        (folder / "evil.mid").symlink_to(target)
        assert read_folder(folder).unread == Unread({"evil.mid": members.LINK}, {})
        (folder / "evil.mid").unlink()
    for target in (folder / "train", Path("/")):
        (folder / "evil").symlink_to(target)
        assert read_folder(folder).unread == Unread({}, {"links to folders": 1})
        (folder / "evil").unlink()
    os.mkfifo(folder / "evil.mid")
    assert read_folder(folder).unread == Unread({"evil.mid": members.NO_FILE}, {})
    (folder / "evil.mid").unlink()
    write(folder, {"more.mxl": zipped(FILES), "song.mid": zipped(FILES)})
    found = read_folder(folder, wanted=is_midi)
    assert set(found) == {*FILES, "again.mid"}
    assert found.unread.ignored == {".mxl": 1}
    assert found.unread.refused["song.mid"].startswith("an archive or compressed")


def test_a_strange_name_in_a_folder_sets_nothing_aside_but_itself(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "C: major.mid": b"1", "back\\slash.mid": b"2", "line\nend.mid": b"3", "Icon\r": b""})
    (tmp_path / os.fsdecode(b"caf\xe9.mid")).write_bytes(b"4")
    found = read_folder(tmp_path, wanted=is_midi)
    assert set(found) == {*FILES, "C: major.mid", "back\\slash.mid"}
    why = "its name has a control character, or bytes that are no text"
    assert found.unread == Unread({"caf\\udce9.mid": why, "line\nend.mid": why}, {"without ending": 1})
    json.dumps(found.unread.refused).encode()


def test_no_folder_and_none_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="no file in it"):
        read_folder(tmp_path / "empty")
    with pytest.raises(CorpusError, match="No such file"):
        read_folder(tmp_path / "missing")
