"""Retries of S3 requests: for which faults a request is sent again, and for how long.

A request is sent again after a passing fault: too many requests (503 SlowDown, 429), a server that fails (500, 502,
504) or restarts, broken connections, lost answers, time-outs, and bodies that are cut or do not fit their checksum. The
wait doubles from try to try, and a random part of up to half is taken off, so that many workers get out of step. No try
begins later than `PATIENCE_SECONDS` after the first one. Every other fault, such as expired credentials, is raised at
once.

After a request was given up, the process does not wait so long again. For `PAUSE_SECONDS` nothing is sent, and every
request fails as the last one did. Then each request is sent once, until one succeeds or `SHORT_SECONDS` have passed. So
a store that is gone for good costs a process one long wait, and not one for every object.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from aiohttp import ClientPayloadError
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NotConnected
from s3fs.core import S3_RETRYABLE_ERRORS

PATIENCE_SECONDS = 45.0
PAUSE_SECONDS, SHORT_SECONDS = 10.0, 60.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0

BROKEN_BODY = (FlexibleChecksumError, ClientPayloadError, IncompleteReadError)
"""An answer whose bytes were cut, or are not those that its checksum is of."""
_RAISED = (
    *(*S3_RETRYABLE_ERRORS, *BROKEN_BODY, HTTPClientError, NotConnected),
    *(ConnectionError, TimeoutError, CredentialRetrievalError),
)
_STATUSES = (408, 409, 429, 500, 502, 503, 504)
_CODES = ("RequestTimeout", "RequestTimeoutException", "InternalError", "SlowDown", "Throttling", "ThrottlingException")

T = TypeVar("T")


class Patience:
    """The patience of one process with one server.

    Args:
        clock, sleep: of seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._gave_up: float | None = None
        self._failed: tuple[float, Exception] | None = None  # the last try, since then

    def until_done(self, request: Callable[[], T], seconds: float | None = None) -> T:
        """The result of a request, which is sent again while its error may pass.

        Args:
            request: sends it, and reads the whole answer.
            seconds: no try begins later than this after the first one; `PATIENCE_SECONDS` by default.

        Raises:
            Exception: the last error of the request.
        """
        begun = self._clock()
        if self._failed is not None and begun - self._failed[0] < PAUSE_SECONDS:
            raise self._failed[1].with_traceback(None)
        short = self._gave_up is not None and begun - self._gave_up < SHORT_SECONDS
        last = begun if short else begun + (PATIENCE_SECONDS if seconds is None else seconds)
        for wait in _waits():
            try:
                done = request()
            except Exception as error:
                if not may_pass(error):
                    self._gave_up = self._failed = None  # it was answered
                    raise
                if (now := self._clock()) + wait > last:
                    self._gave_up = self._gave_up if short else now
                    self._failed = (now, error)
                    raise
            else:
                self._gave_up = self._failed = None
                return done
            self._sleep(wait)
        raise AssertionError("the waits do not end")


def _waits() -> Iterator[float]:
    """Seconds before each further try."""
    longest = FIRST_WAIT
    while True:
        yield random.uniform(0.5, 1) * longest  # noqa: S311  # only to get out of step
        longest = min(2 * longest, LONGEST_WAIT)


def may_pass(error: BaseException) -> bool:
    """Whether the same request may well succeed a little later."""
    return isinstance(error, _RAISED) or status_of(error) in _STATUSES or code_of(error) in _CODES


def answer_of(error: BaseException) -> dict[str, Any]:
    """The server's answer behind an error of botocore or s3fs; empty if there was none."""
    source = error if isinstance(error, ClientError) else error.__cause__
    return dict(source.response) if isinstance(source, ClientError) else {}


def code_of(error: BaseException) -> str:
    """The S3 error code of the answer, `NoSuchBucket`."""
    return str(answer_of(error).get("Error", {}).get("Code", ""))


def status_of(error: BaseException) -> int:
    """The HTTP status of the answer; 0 if there was none."""
    return int(answer_of(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
