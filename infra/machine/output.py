"""What a command writes, whoever reads it: plain characters where others cannot be written, quiet where nobody reads.

A locale or PYTHONIOENCODING may have no minus sign and no rule: ASCII and letters near it stand there instead. A reader
may be gone before the end (`| head`): what is left to say is dropped, and the command ends as it would have ended. So
no campaign is lost to its own table.

With `--json` standard output is for a program: the one document that a command comes to, and nothing else. All other
words of ours go to standard error, where its progress is.

What this does not do: hide that a file could not be written. A full disk behind `> FILE` is told, in one line.
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
"""How progress is shown: `plain` or `quiet`; live where it is not set."""
_HANDLER = "counterpoint-plain"
_PLAIN = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "─": "-", "━": "-", "≈": "~", "→": "->", "←": "<-", "·": "*", "●": "*", "⁻": "^-"}
    | {"‘": "'", "’": "'", "“": '"', "”": '"', "♯": "#", "×": "x"}
)


def plain(text: str) -> str:
    r"""The same in ASCII, as near as it gets.

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
    """A descriptor to write to, whether somebody reads it or not; `lost` is why a file could not be written."""

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
    """Write standard output and standard error in the way of this module while the block runs.

    A stream that is no descriptor (a test's, a notebook's), or is none, is left as it is.
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
    """Inside `forgiving_output`: whether all that was printed is where standard output goes, or has no reader.

    Raises:
        OutputError: a file behind standard output could not be written.
    """
    writer = _writer(sys.stdout)
    if writer is not None:
        sys.stdout.flush()
        if writer.lost is not None:
            raise OutputError(f"standard output cannot be written: {writer.lost.strerror}")


_program: TextIO | None = None
"""Where a program reads, while documents alone are asked for."""


@contextmanager
def documents_alone(asked: bool = True) -> Iterator[None]:
    """While the block runs standard output gets an `Answer` that is told, as a document, and nothing else.

    Args:
        asked: whether that is asked for; else the block runs as it would.
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


def tell(told: object) -> None:
    """Print what a command or a flow came to, in a command and in a server's worker alike; never a reason to fail."""
    with forgiving_output():
        if _program is not None and isinstance(told, Answer):
            print(told.document(), file=_program, flush=True)
        elif (text := str(told)) and not (_program is not None and os.environ.get(MODE_VARIABLE) == "quiet"):
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
    # what is not a terminal gets every line at once all the same: a command says little, and may be killed
    return io.TextIOWrapper(buffered, encoding=stream.encoding, errors=_HANDLER, line_buffering=True)
