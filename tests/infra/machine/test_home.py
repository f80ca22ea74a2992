"""Users without a home: what is taken in its place, and that it is told."""

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from infra.errors import ConfigurationError
from infra.machine.home import cache_folder, provide_home, spare_home
from infra.server.database_template import template_path
from tasks.ingest.sources.download import downloads_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own, and an environment that is put back."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return folder


def no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_home_that_serves_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    provide_home()
    assert (os.environ["HOME"], capsys.readouterr().err) == (str(tmp_path), "")
    (tmp_path / ".prefect").mkdir()
    (tmp_path / ".prefect" / "profiles.toml").write_text("")
    provide_home()
    assert (os.environ["HOME"], capsys.readouterr().err) == (str(tmp_path), "")


@pytest.mark.parametrize(
    ("home", "told"),
    [("relative", "not an absolute path"), ("/no/such/home", "/no/such/home"), ("/proc", "/proc"), ("/dev/null", "")],
)
def test_another_home_is_replaced_and_told_in_one_line(
    home: str, told: str, temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", home)
    provide_home()
    spare = temporary / f"counterpoint-{os.geteuid()}"
    assert os.environ["HOME"] == str(spare)
    assert spare.stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("no home folder that can be used (")
    assert told in said
    assert str(spare) in said
    provide_home()
    assert capsys.readouterr().err == "", "the spare one serves"


def test_profiles_that_cannot_be_read_make_a_home_useless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".prefect" / "profiles.toml").mkdir(parents=True)
    provide_home()
    assert os.environ["HOME"] != str(tmp_path)
    assert "profiles.toml" in capsys.readouterr().err


def test_a_user_without_an_entry_gets_one(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HOME")
    no_entry(monkeypatch)
    assert cache_folder() == temporary / f"counterpoint-{os.geteuid()}" / ".cache"
    provide_home()
    assert "this user has no entry" in capsys.readouterr().err
    assert cache_folder() == Path(os.environ["HOME"]) / ".cache"


def test_an_empty_home_is_none_and_not_the_root_of_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = pwd.struct_passwd(("me", "x", 1, 1, "", str(tmp_path / "entry"), "/bin/sh"))
    (tmp_path / "entry").mkdir()
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: entry)
    monkeypatch.setenv("HOME", "")
    provide_home()
    assert Path.home() == tmp_path / "entry"
    assert capsys.readouterr().err == ""


def test_a_place_that_somebody_else_holds_is_one_line(temporary: Path) -> None:
    (temporary / f"counterpoint-{os.geteuid()}").mkdir(mode=0o700)
    (temporary / f"counterpoint-{os.geteuid()}").chmod(0o777)
    with pytest.raises(ConfigurationError, match=r"can be written to by others.*; set HOME"):
        spare_home()


@pytest.mark.parametrize("relative", ["", "cache", "./cache"])
def test_a_relative_cache_is_not_taken(relative: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard has it so; else every folder that a command is typed in would get one."""
    monkeypatch.setenv("XDG_CACHE_HOME", relative)
    for path in (cache_folder(), template_path(), downloads_folder()):
        assert path.is_relative_to(tmp_path / ".cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    for path in (cache_folder(), template_path(), downloads_folder()):
        assert path.is_relative_to(tmp_path / "mine")
