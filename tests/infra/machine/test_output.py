"""What is printed reaches its reader in characters that he has, and fails nobody where he is gone."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.cli.console import told_in_one_line
from infra.machine.output import forgiving_output, plain, tell

TABLE = "variant  ─────\n−8.02 ≈ “Café” · müssen →"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], int]]:
    """Makes standard output a pipe of an encoding, and tells the end to read from."""
    ends: list[int] = []

    def to_pipe(encoding: str) -> int:
        ends.extend(os.pipe())
        pipe = io.TextIOWrapper(io.FileIO(ends[1], "wb", closefd=False), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", pipe)
        return ends[0]

    yield to_pipe
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue  # closed by the test


def _command(end: BaseException | None = None) -> None:
    with told_in_one_line():
        tell(TABLE)
        if end is not None:
            raise end


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", TABLE),
        ("latin-1", 'variant  -----\n-8.02 ~ "Café" · müssen ->'),
        ("ascii", 'variant  -----\n-8.02 ~ "Cafe" * mussen ->'),
        ("cp1252", "variant  -----\n-8.02 ~ “Café” · müssen ->"),
    ],
)
def test_what_cannot_be_written_is_written_plainly(printed: Callable[[str], int], encoding: str, told: str) -> None:
    reading = printed(encoding)
    tell(TABLE)
    assert os.read(reading, 1000).decode(encoding) == f"{told}\n"


def test_a_name_of_bytes_that_are_no_text_can_be_told(printed: Callable[[str], int]) -> None:
    reading = printed("utf-8")
    tell("song-\udcff.mid")
    assert os.read(reading, 1000) == b"song-\\udcff.mid\n"
    assert plain("中 −1") == "\\u4e2d -1"


def test_a_reader_who_is_gone_changes_nothing(printed: Callable[[str], int]) -> None:
    os.close(printed("utf-8"))
    with told_in_one_line():
        for _ in range(3):
            tell("a line" * 10_000)
            print("another one" * 10_000)


def test_the_exit_code_is_the_commands_own_where_the_reader_is_gone(printed: Callable[[str], int]) -> None:
    os.close(printed("ascii"))
    with pytest.raises(SystemExit) as stopped:
        _command(KeyboardInterrupt())
    assert stopped.value.code == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device on this system")
def test_a_full_disk_behind_standard_output_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as stopped:
            _command()
        monkeypatch.undo()
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: standard output cannot be written: No space left on device\n"


def test_streams_that_are_no_descriptors_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stdout", stream)
        with forgiving_output():
            assert sys.stdout is stream


@pytest.mark.integration
@pytest.mark.parametrize(("command", "code"), [(["--help"], 0), (["plan", "--cluster", "none–such"], 2)])
def test_a_command_ends_quietly_in_a_pipe_that_nobody_reads(tmp_path: Path, command: list[str], code: int) -> None:
    script = "import sys; from flows.cli import main; sys.argv[0] = 'counterpoint'; main()"
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COUNTERPOINT_STORE": str(tmp_path)}
    arguments = [sys.executable, "-c", script, *command]
    ended = subprocess.run(arguments, stdout=writing, stderr=subprocess.PIPE, env=environment, text=True)
    os.close(writing)
    assert ended.returncode == code
    assert len(ended.stderr.splitlines()) == (1 if code else 0)


@pytest.mark.parametrize(("number", "mend"), [(errno.ENOSPC, "set TMPDIR"), (errno.EMFILE, "ulimit -n")])
def test_what_a_machine_has_no_more_of_is_one_line_wherever_it_is_noticed(
    number: int, mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for problem in (OSError(number, os.strerror(number), "a file"), OSError(number, os.strerror(number))):
        with pytest.raises(SystemExit) as stopped:
            _command(problem)
        assert stopped.value.code == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.startswith("error: ")
        assert mend in said
    with pytest.raises(IsADirectoryError):
        _command(IsADirectoryError(errno.EISDIR, "a defect of ours"))
