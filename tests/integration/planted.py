"""Secrets that are planted in the environment of a campaign, and the search for them wherever it leaves something."""

import io
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet

PLANTED = {
    name: f"planted-{secrets.token_hex(12)}"
    for name in ("PREFECT_SERVER_DATABASE_PASSWORD", "COUNTERPOINT_NOTIFY", "PREFECT_SERVER_API_AUTH_STRING")
}
"""Variables that a deployment's environment may have, each with a value found nowhere else."""


def holding(data: bytes, name: str, wanted: Iterable[str]) -> list[str]:
    """What of the wanted texts some bytes hold; of a table, whose bytes are compressed, its values."""
    if name.endswith(".parquet"):
        data += repr(pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()).encode()
    return [text for text in wanted if text.encode() in data]


def files_with(folders: Iterable[Path], wanted: Iterable[str]) -> dict[Path, list[str]]:
    """The files below folders that hold some of the wanted texts, with these."""
    found = {}
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                held = holding(path.read_bytes(), path.name, wanted) if path.is_file() else []
            except FileNotFoundError:  # a process that ends removes its own
                continue
            if held:
                found[path] = held
    return found


@contextmanager
def process_lists() -> Iterator[set[str]]:
    """Every command line that anybody could read in /proc while the block ran, looked at ten times a second."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for number in filter(str.isdigit, os.listdir("/proc")):
                try:
                    words = Path("/proc", number, "cmdline").read_bytes().replace(b"\0", b" ")
                    seen.add(words.decode(errors="replace"))
                except (FileNotFoundError, ProcessLookupError):
                    continue

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()
