"""Objects in an S3 bucket, with conditional writes, through s3fs.

Exclusive create is `If-None-Match: *`, replace is `If-Match: etag`. Every write is one PUT of finished bytes:
s3fs publishes a truncated object when an exception passes `fs.open(..., "wb")`, and loses the condition of a
write that it splits. Credentials and the endpoint come from the standard AWS variables, and from nowhere
else.

Requests with a passing fault are sent again by `s3_patience.py`, and only there: botocore and s3fs try once.

What this does not do: create buckets, or trust a store (SeaweedFS makes a missing bucket on the first PUT,
hence `check`; some gateways ignore conditions, hence `Store.check_writable`).
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError
from fsspec.asyn import sync
from s3fs import S3FileSystem
from s3fs.core import S3_RETRYABLE_ERRORS

from infra.errors import ConflictError, StoreError
from infra.store.backend import Listed, Stored
from infra.store.s3_errors import explain
from infra.store.s3_patience import Patience, answer_of, code_of, status_of
from infra.store.side_by_side import side_by_side

# An endpoint that does not answer is told within CHECK_SECONDS when a store is opened, one that refuses within
# CHECK_PATIENCE: it may be mistyped. Later requests wait for one that is being restarted: a trial is worth that.
CHECK_SECONDS = 8.0
CHECK_PATIENCE = 1.0
# Of a try: until it is connected, and between two bytes of the answer.
TIMEOUTS = {"connect_timeout": 3, "read_timeout": 15}
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "mid": "audio/midi",
    "parquet": "application/vnd.apache.parquet",
    "tex": "text/plain; charset=utf-8",
    "toml": "application/toml",
    "txt": "text/plain; charset=utf-8",
}
"""By the ending of an object's name: a browser shows a page from a bucket, where else it would save it."""
# s3fs splits at twice this size; S3 takes 5 GiB in one PUT.
_SINGLE_PUT_BYTES = 2**31


@dataclass(frozen=True)
class Part:
    """A part of an object.

    Attributes:
        data: its bytes.
        token: the etag of the object.
        total: size of the whole object in bytes.
    """

    data: bytes
    token: str
    total: int


class S3Backend:
    """A bucket, or a prefix in it."""

    def __init__(self, path: str) -> None:
        self._bucket, _, prefix = path.partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        # The environment may change within a process: a client belongs to the one that it was made in.
        self._environment = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))

    def check(self, create: bool) -> None:
        """One request: the endpoint answers, the bucket exists, the credentials may read.

        It asks for a missing key, since the answer to HEAD BUCKET has no body that says what is wrong.
        """
        with self._told():
            files = self._files  # here, so that no request's time is spent on making it
            until = time.monotonic() + CHECK_SECONDS
            try:
                self._patience.until_done(
                    lambda: files.call_s3(
                        "get_object", Bucket=self._bucket, Key=self._key(".check"), timeout=until - time.monotonic()
                    ),
                    CHECK_PATIENCE,
                )
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise

    def read(self, path: str) -> Stored | None:
        """The whole object and its etag, from one request; None if there is no object."""
        with self._told():
            try:
                answer, data = self._get(path)
            except FileNotFoundError as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                return None
            return Stored(data, answer["ETag"])

    def read_part(self, path: str, start: int, length: int, token: str | None = None) -> Part | None:
        """At most `length` bytes from `start` on; None if there is no object.

        The part is empty if `start` is at or behind the end, also of an empty object.

        Raises:
            ConflictError: a token was given, and the object has another etag.
            StoreError: it cannot be read.
        """
        condition = {} if token is None else {"IfMatch": token}
        with self._told():
            try:
                answer, data = self._get(path, Range=f"bytes={start}-{start + length - 1}", **condition)
            except OSError as error:
                # A failed condition has no one type, see `_put`.
                if isinstance(error, FileNotFoundError) and code_of(error) != "NoSuchBucket":
                    return None
                if status_of(error) == 412:
                    raise ConflictError(f"s3://{self._bucket}/{self._key(path)}: it has changed") from error
                if status_of(error) == 416:
                    return Part(b"", "", start)
                raise
            return Part(data, answer["ETag"], int(answer["ContentRange"].rpartition("/")[2]))

    def create(self, path: str, data: bytes) -> bool:
        """Write the object if there is none; False if there is one, which may be our own: see `Store`."""
        return self._put(path, data, mode="create")

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Write the objects that do not exist, side by side, so that this takes as long as the slowest write."""
        created = side_by_side(lambda file: self.create(*file), list(files.items()))
        return [path for path, new in zip(files, created, strict=True) if not new]

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Write if the present object has this etag; False if it has another one."""
        return self._put(path, data, IfMatch=token)

    def delete(self, path: str) -> None:
        """Remove the object if it is there."""
        with self._told():
            self._patience.until_done(
                lambda: self._files.call_s3("delete_object", Bucket=self._bucket, Key=self._key(path))
            )

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD for which `parent/CHILD/name` exists, sorted."""
        with self._told():
            found = [path.removeprefix(f"{parent}/") for path, _ in self._listed(parent)]
        return sorted(path.removesuffix(f"/{name}") for path in found if path.split("/")[1:] == [name])

    def listing(self, folder: str) -> list[Listed]:
        """Every object below a folder, sorted."""
        with self._told():
            found = [
                Listed(path, item["Size"], item["LastModified"].timestamp()) for path, item in self._listed(folder)
            ]
        return sorted(found)

    @property
    def _files(self) -> Any:
        # By process: the connections of a parent are of no use after a fork.
        return _connect(os.getpid(), self._environment)

    @property
    def _patience(self) -> Patience:
        return _patience(os.getpid(), self._environment)

    def _key(self, path: str) -> str:
        return f"{self._prefix}{path}"

    def _listed(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Path and properties of every object below a folder. If there is none, s3fs sends two more requests."""
        page = self._page(folder)
        while True:
            for item in page.get("Contents", ()):
                path = str(item["Key"]).removeprefix(self._prefix)
                if path and not path.endswith("/"):  # a folder, which some servers show
                    yield path, item
            if not page.get("IsTruncated"):
                return
            page = self._page(folder, ContinuationToken=page["NextContinuationToken"])

    def _page(self, folder: str, **more: str) -> dict[str, Any]:
        below = self._key(f"{folder}/" if folder else "")
        return dict(
            self._patience.until_done(
                lambda: self._files.call_s3("list_objects_v2", Bucket=self._bucket, Prefix=below, **more)
            )
        )

    def _get(self, path: str, **arguments: str) -> tuple[dict[str, Any], bytes]:
        files = self._files

        def whole() -> tuple[dict[str, Any], bytes]:
            answer = files.call_s3("get_object", Bucket=self._bucket, Key=self._key(path), **arguments)
            return answer, sync(files.loop, _whole, answer["Body"])

        return self._patience.until_done(whole)

    def _put(self, path: str, data: bytes, **condition: str) -> bool:
        where = f"{self._bucket}/{self._key(path)}"
        media_type = _MEDIA_TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        with self._told():
            try:
                self._patience.until_done(
                    lambda: self._files.pipe_file(
                        where, data, ContentType=media_type, chunksize=_SINGLE_PUT_BYTES, **condition
                    )
                )
                return True
            except OSError as error:
                # A failed condition has no one type: FileExistsError on AWS, OSError(22) on SeaweedFS.
                if status_of(error) == 412 or isinstance(error, FileExistsError) or code_of(error) == "NoSuchKey":
                    return False
                raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        # ValueError: botocore's answer to an endpoint that is not a URL.
        try:
            yield
        except (OSError, BotoCoreError, ValueError, RecursionError, *S3_RETRYABLE_ERRORS) as error:
            raise StoreError(explain(error, code_of(error), self._bucket, _region(error))) from error


@lru_cache(maxsize=8)
def _connect(process: int, environment: tuple[tuple[str, str], ...]) -> Any:
    # Not fsspec's cache of instances: it knows nothing of the environment. boto reads the variables itself,
    # so no secret is an argument that could be printed.
    files = S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs={**TIMEOUTS, "retries": {"mode": "standard", "total_max_attempts": 1}},
    )
    files.retries = 1
    # Here, so that no request's time is spent on it: on a busy machine it takes longer than a request may.
    files.connect()
    return files


@lru_cache(maxsize=8)
def _patience(process: int, environment: tuple[tuple[str, str], ...]) -> Patience:
    return Patience()


async def _whole(body: Any) -> bytes:
    try:
        return bytes(await body.read())
    finally:
        body.close()  # a body that broke keeps its connection otherwise


def _region(error: BaseException) -> str:
    """The region of the bucket, as the server gives it."""
    answer = answer_of(error)
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region") or "")
