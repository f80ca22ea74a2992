"""Robust standard output of a command, so that no campaign fails while its table is printed.

A locale or PYTHONIOENCODING may lack a minus sign or a rule; similar ASCII characters are then printed instead. A
reader may close the pipe early (`| head`); further output is then dropped, and the command ends with its usual exit
code.

With `--json`, standard output carries a single JSON document, for programs. All other text goes to standard error,
together with the progress.

What this does not do: hide that a file could not be written. A full disk behind `> FILE` is reported in one line.
"""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from infra.errors import OutputError
from infra.machine.answer import Answer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

MODE_VARIABLE = "COUNTERPOINT_PROGRESS"
"""Variable for the display of progress: `plain` or `quiet`; live if it is not set."""
_HANDLER = "counterpoint-plain"
_PLAIN = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "─": "-", "━": "-", "≈": "~", "→": "->", "←": "<-", "·": "*", "●": "*", "⁻": "^-"}
    | {"‘": "'", "’": "'", "“": '"', "”": '"', "♯": "#", "×": "x"}
)


def plain(text: str) -> str:
    r"""The closest ASCII form of a text.

    >>> plain("−8.02 ≈ “Café”"), plain("─" * 3), plain("\u4e2d")
    ('-8.02 ~ "Cafe"', '---', '\\u4e2d')
    """
    apart = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return bare.encode("ascii", "backslashreplace").decode("ascii")


def _plain_instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


class _Writer(io.FileIO):
    """Writes to a descriptor without failing; `lost` is the error if a file could not be written."""

    lost: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.lost = error
            return memoryview(data).nbytes


@contextmanager
def forgiving_output() -> Iterator[None]:
    """Make standard output and standard error robust while the block runs.

    A stream without a file descriptor (a test's, a notebook's) and a missing stream are left unchanged.
    """
    codecs.register_error(_HANDLER, _plain_instead)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _forgiving(before[0]), _forgiving(before[1])
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        sys.stdout, sys.stderr = before


def check_written() -> None:
    """Inside `forgiving_output`: check that all printed text was written; a closed pipe does not count.

    Raises:
        OutputError: a file behind standard output could not be written.
    """
    writer = _writer(sys.stdout)
    if writer is not None:
        sys.stdout.flush()
        if writer.lost is not None:
            raise OutputError(f"standard output cannot be written: {writer.lost.strerror}")


_program: TextIO | None = None
"""The stream for JSON documents, while `documents_alone` is active."""


@contextmanager
def documents_alone(asked: bool = True) -> Iterator[None]:
    """While the block runs, standard output only gets the JSON documents of `tell`; other text goes to standard error.

    Args:
        asked: False to run the block unchanged.
    """
    global _program
    if not asked:
        yield
        return
    before, _program = _program, sys.stdout
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _program = before


def tell(result: object) -> None:
    """Print the result of a command or a flow; never fails, whether in a command or in a Prefect worker."""
    with forgiving_output():
        if _program is not None and isinstance(result, Answer):
            print(result.document(), file=_program, flush=True)
        elif (text := str(result)) and not (_program is not None and os.environ.get(MODE_VARIABLE) == "quiet"):
            print(text, flush=True)


def _writer(stream: TextIO | None) -> _Writer | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Writer) else None


def _forgiving(stream: TextIO) -> TextIO:
    if stream is None or _writer(stream) is not None:
        return stream
    try:
        stream.flush()
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no descriptor, or closed
        return stream
    buffered = io.BufferedWriter(_Writer(descriptor, "wb", closefd=False))
    # Line buffering for files and pipes too: a command prints little, and may be killed.
    return io.TextIOWrapper(buffered, encoding=stream.encoding, errors=_HANDLER, line_buffering=True)
