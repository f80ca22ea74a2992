"""Objects in an S3 bucket, with conditional writes, through s3fs.

Exclusive create is `If-None-Match: *`, replace is `If-Match: etag`. Every write is one PUT of finished bytes:
s3fs publishes a truncated object when an exception passes `fs.open(..., "wb")`, and loses the condition of a
write that it splits. Credentials and the endpoint come from the standard AWS variables, and from nowhere
else.

What this does not do: create buckets, or trust a store (SeaweedFS makes a missing bucket on the first PUT,
hence `check`; some gateways ignore conditions, hence `Store.check_writable`).
"""

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fsspec.asyn import sync
from s3fs import S3FileSystem
from s3fs.core import S3_RETRYABLE_ERRORS

from infra.errors import ConflictError, StoreError
from infra.store.backend import Listed, Stored
from infra.store.s3_errors import BROKEN_BODY, explain

# An unreachable endpoint is told within CHECK_SECONDS when a store is opened. Later requests wait half a minute
# for one that is being restarted: a finished trial is worth that.
CHECK_SECONDS = 8
CHECK_TRIES = 2
TRIES = 8
BODY_TRIES = 3
TIMEOUTS = {"connect_timeout": 3, "read_timeout": 30}
# "Another conditional request for this key is under way", "too many requests": S3 asks to send it again.
CONFLICT_TRIES = 6
_TOO_MANY_REQUESTS = 429  # which botocore does not try again, unlike the 503 of AWS
_WRITES_AT_ONCE = 8
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
            try:
                files = _connect(os.getpid(), self._environment, CHECK_TRIES)
                key = self._key(".check")
                _patiently(files.call_s3, "get_object", Bucket=self._bucket, Key=key, timeout=CHECK_SECONDS)
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise

    def read(self, path: str) -> Stored | None:
        """The whole object and its etag, from one request; None where there is none."""
        with self._told():
            try:
                answer, data = self._get(path)
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return None
            return Stored(data, answer["ETag"])

    def read_part(self, path: str, start: int, length: int, token: str | None = None) -> Part | None:
        """At most `length` bytes from `start` on; None where there is no object.

        An empty part is what there is behind the end, of an empty object too.

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
                if isinstance(error, FileNotFoundError) and _code(error) != "NoSuchBucket":
                    return None
                if _status(error) == 412:
                    raise ConflictError(f"s3://{self._bucket}/{self._key(path)}: it has changed") from error
                if _status(error) == 416:
                    return Part(b"", "", start)
                raise
            return Part(data, answer["ETag"], int(answer["ContentRange"].rpartition("/")[2]))

    def create(self, path: str, data: bytes) -> bool:
        """Write if there is none; False if there is one, which may be our own: see `Store`."""
        return self._put(path, data, mode="create")

    def create_all(self, files: Mapping[str, bytes]) -> list[str]:
        """Write those that are not there, side by side: the slowest is waited for, and not their sum."""
        with ThreadPoolExecutor(max(1, min(len(files), _WRITES_AT_ONCE))) as pool:
            created = list(pool.map(self.create, files, files.values()))
        return [path for path, new in zip(files, created, strict=True) if not new]

    def replace(self, path: str, data: bytes, token: str) -> bool:
        """Write if the present object has this etag; False if not."""
        return self._put(path, data, IfMatch=token)

    def delete(self, path: str) -> None:
        """Remove the object if it is there."""
        with self._told():
            _patiently(self._files.call_s3, "delete_object", Bucket=self._bucket, Key=self._key(path))

    def children(self, parent: str, name: str) -> list[str]:
        """Every CHILD for which `parent/CHILD/name` is there, sorted."""
        start = f"{self._bucket}/{self._key(parent)}/"
        with self._told():
            found = [path.removeprefix(start) for path in _patiently(self._files.find, start)]
        return sorted(path.removesuffix(f"/{name}") for path in found if path.split("/")[1:] == [name])

    def listing(self, folder: str) -> list[Listed]:
        """Every object below a folder, sorted."""
        start = f"{self._bucket}/{self._key('')}"
        with self._told():
            found = _patiently(self._files.find, f"{start}{folder}".rstrip("/"), detail=True)
        # A folder, which some servers show, was not modified at any time.
        objects = {path.removeprefix(start): item for path, item in found.items() if "LastModified" in item}
        told = [(path, int(item["size"]), item["LastModified"].timestamp()) for path, item in objects.items()]
        return sorted(Listed(*each) for each in told if each[0] and not each[0].endswith("/"))

    @property
    def _files(self) -> Any:
        # By process: the connections of a parent are of no use after a fork.
        return _connect(os.getpid(), self._environment, TRIES)

    def _key(self, path: str) -> str:
        return f"{self._prefix}{path}"

    def _get(self, path: str, **arguments: str) -> tuple[dict[str, Any], bytes]:
        files, tries = self._files, BODY_TRIES
        while True:
            answer = _patiently(files.call_s3, "get_object", Bucket=self._bucket, Key=self._key(path), **arguments)
            try:
                return answer, sync(files.loop, _whole, answer["Body"])
            except (
                *S3_RETRYABLE_ERRORS,
                *BROKEN_BODY,
            ):  # botocore has tried the request again, but does not see the body
                tries -= 1
                if not tries:
                    raise

    def _put(self, path: str, data: bytes, **condition: str) -> bool:
        where = f"{self._bucket}/{self._key(path)}"
        with self._told():
            for attempt in range(CONFLICT_TRIES):
                try:
                    _patiently(self._files.pipe_file, where, data, chunksize=_SINGLE_PUT_BYTES, **condition)
                    return True
                except OSError as error:
                    # A failed condition has no one type: FileExistsError on AWS, OSError(22) on SeaweedFS.
                    status = _status(error)
                    if status == 412 or isinstance(error, FileExistsError) or _code(error) == "NoSuchKey":
                        return False
                    if status != 409:
                        raise
                time.sleep(0.05 * 2**attempt)
        return False

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        # ValueError: botocore's answer to an endpoint that is not a URL.
        try:
            yield
        except (OSError, BotoCoreError, ValueError, RecursionError, *S3_RETRYABLE_ERRORS) as error:
            raise StoreError(explain(error, _code(error), self._bucket, _region(error))) from error


@lru_cache(maxsize=8)
def _connect(process: int, environment: tuple[tuple[str, str], ...], tries: int) -> Any:
    # Not fsspec's cache of instances: it knows nothing of the environment. boto reads the variables itself,
    # so no secret is an argument that could be printed.
    files = S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs={**TIMEOUTS, "retries": {"mode": "standard", "total_max_attempts": tries}},
    )
    files.retries = 1  # botocore tries again; twice over, it would be minutes
    # Here, so that no request's time is spent on it: on a busy machine it takes longer than a request may.
    files.connect()
    return files


def _patiently(request: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What a request gives; sent again where there were too many of them."""
    for attempt in range(TRIES):
        try:
            return request(*arguments, **named)
        except OSError as error:
            if _status(error) != _TOO_MANY_REQUESTS or attempt == TRIES - 1:
                raise
        time.sleep(random.uniform(0.5, 1) * 0.1 * 2**attempt)  # noqa: S311  # to get out of step
    raise AssertionError("the last try returns or raises")


async def _whole(body: Any) -> bytes:
    try:
        return bytes(await body.read())
    finally:
        body.close()  # a body that broke keeps its connection otherwise


def _answer(error: BaseException) -> dict[str, Any]:
    source = error if isinstance(error, ClientError) else error.__cause__
    return dict(source.response) if isinstance(source, ClientError) else {}


def _code(error: BaseException) -> str:
    return str(_answer(error).get("Error", {}).get("Code", ""))


def _region(error: BaseException) -> str:
    """Where the server says that the bucket is."""
    answer = _answer(error)
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region") or "")


def _status(error: BaseException) -> int:
    return int(_answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
