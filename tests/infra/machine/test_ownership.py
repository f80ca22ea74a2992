"""The two checks of what is kept between commands, held to the same cases: `infra` and `models` share no code."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from infra.machine.ownership import ours
from models.native.build import BuildError
from models.native.build import _ours as ours_in_models

Check = Callable[[Path, int], AbstractContextManager[int]]

pytestmark = pytest.mark.parametrize("check", [ours, ours_in_models])
FOLDER = os.O_DIRECTORY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.write_bytes(b"kept")
    path.chmod(0o600)
    return path


def test_what_is_ours_alone_is_opened(check: Check, file: Path) -> None:
    with check(file, 0) as descriptor:
        assert os.read(descriptor, 9) == b"kept"
    with check(file.parent, FOLDER) as descriptor:
        assert os.path.samestat(os.fstat(descriptor), file.parent.stat())


@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_may_write_to_is_refused(check: Check, file: Path, mode: int) -> None:
    file.chmod(0o600 | mode)
    file.parent.chmod(0o700 | mode)
    for path, kind in ((file, 0), (file.parent, FOLDER)):
        with pytest.raises((PermissionError, BuildError), match="can be written to by others"), check(path, kind):
            pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_is_somebody_elses_is_refused(check: Check, file: Path) -> None:
    os.chown(file, 54321, -1)
    with pytest.raises((PermissionError, BuildError), match="is not ours"), check(file, 0):
        pass


def test_a_link_is_not_followed(check: Check, file: Path) -> None:
    (file.parent / "link").symlink_to(file)
    (file.parent / "folder").symlink_to(file.parent)
    for name, kind in (("link", 0), ("folder", FOLDER)):
        with pytest.raises(OSError, match="link") as refused, check(file.parent / name, kind):
            pass
        assert not isinstance(refused.value, PermissionError)


def test_another_kind_is_refused(check: Check, file: Path) -> None:
    with pytest.raises((PermissionError, BuildError), match="is not ours"), check(file.parent, 0):
        pass
    with pytest.raises(NotADirectoryError), check(file, FOLDER):
        pass
