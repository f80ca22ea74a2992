"""Download a remote file once, and resume an interrupted download.

Files in the folder `counterpoint/downloads` of the user's cache (XDG_CACHE_HOME); K is the sha256 of the address:

    K           the whole file, renamed to this name only after its sha256, or else its size, was checked
    K.part      the bytes received so far
    K.json      the file's version on the server (ETag or date) and its size
    K.lock      lock of the one process that downloads the file

A part is continued if the server confirms that the file has not changed. Otherwise the download starts over, as it does
if the server gives neither ETag nor date, or ignores Range. A whole file is used without asking the server if its
sha256 is pinned and matches. Without a pinned sha256, the server is asked whether the file has changed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.errors import CorpusError
from infra.machine.home import cache_folder
from tasks.ingest.sources.address import SourceAddress
from tasks.ingest.sources.body import Body, DownloadProgress, Held, Interrupted
from tasks.ingest.sources.remote import open_remote

# Number of attempts; each continues where the connection broke.
TRIES = 5


def downloads_folder() -> Path:
    """The folder that downloads are kept in."""
    return cache_folder() / "counterpoint" / "downloads"


def download(address: SourceAddress, sha256: str | None, limit: int, progress: DownloadProgress) -> bytes:
    """The bytes of a remote file.

    Args:
        address: of the protocol http, https or s3.
        sha256: the checksum that the file must have, or None.
        limit: most bytes in the file.
        progress: called after every block.

    Raises:
        CorpusError: the file cannot be downloaded, is too large, or has another sha256. In the last two cases nothing
            of it is kept.
    """
    key = hashlib.sha256(f"{address.protocol}://{address.location}".encode()).hexdigest()
    copy = _Copy(downloads_folder() / key)
    try:
        with copy.locked():
            if sha256 is not None and (data := copy.whole(sha256)) is not None:
                return data
            for _ in range(TRIES):
                with contextlib.suppress(Interrupted):
                    with open_remote(address, copy.held()) as body:
                        _append(address, copy, body, limit, progress)
                    return _finish(address, copy, sha256)
    except OSError as error:
        where = downloads_folder()
        raise CorpusError(f"{where}: {error.strerror}; mend it, or set XDG_CACHE_HOME to another folder") from error
    raise CorpusError(f"{address}: the connection broke {TRIES} times; run again, it goes on where it stopped")


@dataclass(frozen=True)
class _Copy:
    """The local files of one address."""

    path: Path

    @property
    def part(self) -> Path:
        return self.path.with_suffix(".part")

    @property
    def note(self) -> Path:
        return self.path.with_suffix(".json")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def whole(self, sha256: str) -> bytes | None:
        """The whole file, if it is there and has the sha256; otherwise None."""
        if not self.path.exists():
            return None
        data = self.path.read_bytes()
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def held(self) -> Held:
        """The held part; empty if the note is missing or damaged."""
        complete = self.path.exists()
        try:
            note = json.loads(self.note.read_bytes())
            size = (self.path if complete else self.part).stat().st_size
            return Held(size, str(note["version"]), note["total"], complete)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return Held()

    def remove(self) -> None:
        for path in (self.path, self.part, self.note):
            path.unlink(missing_ok=True)


def _append(address: SourceAddress, copy: _Copy, body: Body, limit: int, progress: DownloadProgress) -> None:
    """Append the missing blocks to the held part."""
    if body.total is not None and body.total > limit:
        copy.remove()
        raise CorpusError(f"{address}: {body.total:,} bytes, over the limit of {limit:,}")
    if body.start == 0:
        copy.remove()
        copy.note.write_text(json.dumps({"version": body.version, "total": body.total}), encoding="utf-8")
    done = body.start
    progress(done, body.total)
    if copy.path.exists():  # still the same file
        return
    with copy.part.open("ab") as out:
        for block in body.blocks:
            done += len(block)
            if done > limit:
                copy.remove()
                raise CorpusError(f"{address}: over the limit of {limit:,} bytes")
            out.write(block)
            progress(done, body.total)
        out.flush()
        os.fsync(out.fileno())
    if body.total is not None and done != body.total:
        raise Interrupted(f"{done} of {body.total} bytes")


def _finish(address: SourceAddress, copy: _Copy, sha256: str | None) -> bytes:
    source = copy.path if copy.path.exists() else copy.part
    data = source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if sha256 is not None and found != sha256:
        copy.remove()
        raise CorpusError(f"{address}: its sha256 is {found}, not {sha256}: damaged or another file; nothing is kept")
    if source == copy.part:
        os.replace(copy.part, copy.path)
    return data
