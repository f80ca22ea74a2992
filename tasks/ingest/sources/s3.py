"""Read an object in S3, from any position on; every part is requested on condition that the object has not changed.

Credentials and the endpoint come from the standard AWS variables, as for a store (`infra/store/s3.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from infra.errors import ConflictError, CorpusError, StoreError
from infra.store.s3 import Part, S3Backend
from tasks.ingest.sources.address import SourceAddress
from tasks.ingest.sources.body import Body, Held, Interrupted

BLOCK = 8 * 2**20


@contextmanager
def open_s3(address: SourceAddress, held: Held) -> Iterator[Body]:
    """The missing part of an object; see `open_remote`.

    Raises:
        CorpusError: the object does not exist, or cannot be reached or read.
    """
    bucket, _, key = address.location.partition("/")
    backend = S3Backend(bucket)
    try:
        start, part = _first(backend, key, held)
        if part is None:
            raise CorpusError(f"{address}: there is no such object; check the address")
        blocks = iter(()) if held.complete and start else _blocks(backend, key, start, part)
        yield Body(start, part.token, part.total, blocks)
    except ConflictError as error:
        raise CorpusError(f"{address}: it changed while it was read; run again") from error
    except StoreError as error:
        if isinstance(error.__cause__, PermissionError):
            raise CorpusError(f"{address}: these credentials may not read it; check the variables AWS_*") from error
        raise CorpusError(str(error)) from error


def _first(backend: S3Backend, key: str, held: Held) -> tuple[int, Part | None]:
    """The position to begin at, and the part that begins there."""
    try:
        if held.complete:
            part = backend.read_part(key, held.size - 1, 1, held.version)
        elif held.size:
            part = backend.read_part(key, held.size, BLOCK, held.version)
        else:
            part = None
        if part is not None and part.data:
            return held.size, part
    except ConflictError:
        pass  # the object has changed: read it from its start
    return 0, backend.read_part(key, 0, BLOCK)


def _blocks(backend: S3Backend, key: str, start: int, part: Part) -> Iterator[bytes]:
    place, token, total = start, part.token, part.total
    data = part.data
    while data:
        yield data
        place += len(data)
        if place >= total:
            return
        following = backend.read_part(key, place, BLOCK, token)
        if following is None:
            raise Interrupted("the object was deleted")
        data = following.data
