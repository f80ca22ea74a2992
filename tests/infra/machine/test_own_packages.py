"""A folder or file of somebody's that is called like one of our packages: told in one line that names it."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.console import told_in_one_line
from infra.machine.own_packages import in_the_way

ROOT = Path(__file__).parents[3]


@pytest.fixture
def _unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: what is loaded is found without looking."""
    for name in ("infra", "models", "tasks", "flows"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_nothing_is_in_the_way_here() -> None:
    assert in_the_way() is None


@pytest.mark.usefixtures("_unloaded")
@pytest.mark.parametrize("name", ["models/__init__.py", "tasks.py", "flows/mine.py", "infra/__init__.py"])
def test_what_is_in_the_way_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    package = Path(name).parts[0].removesuffix(".py")
    place = path if name.endswith("tasks.py") else path.parent
    line = in_the_way()
    if name == "flows/mine.py":
        assert line is None, "a folder without __init__.py gives way to a package"
    else:
        assert line == (
            f"{place}: this is not Counterpoint's package `{package}`, and is in its way;"
            " rename it, or work in another folder"
        )


@pytest.mark.usefixtures("_unloaded")
def test_a_command_says_so_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tasks.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SystemExit) as ended, told_in_one_line():
        pytest.fail("it began")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'tasks.py'}: this is not Counterpoint's package")


@pytest.mark.integration
@pytest.mark.parametrize("name", ["models/__init__.py", "infra/__init__.py"])
def test_import_counterpoint_says_so_in_its_last_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("")
    code = f"import sys; sys.path[1:1] = [{str(ROOT)!r}, {str(ROOT / 'tasks' / 'public')!r}]; import counterpoint"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: {tmp_path / Path(name).parent}")
    assert "is not Counterpoint's package" in last
