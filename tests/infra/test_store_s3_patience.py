"""How long a request is sent again, by a clock of the test's own."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from fsspec.exceptions import FSTimeoutError

from infra.store.s3_patience import (
    LONGEST_WAIT,
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    SHORT_SECONDS,
    Patience,
    may_pass,
)


class Clock:
    """A clock that stands still but for what is slept."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return Patience(lambda: clock.now, clock.sleep)


def answered(status: int, code: str) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # type: ignore[arg-type]


GONE = EndpointConnectionError(endpoint_url="http://here")
BUSY = answered(503, "SlowDown")


class Request:
    """Raises the errors, one a try, the last again and again; nothing more to raise is an answer."""

    def __init__(self, *errors: Exception, forever: bool = False) -> None:
        self.errors, self.forever, self.tries = list(errors), forever, 0

    def __call__(self) -> int:
        self.tries += 1
        if self.errors:
            raise self.errors[0] if self.forever else self.errors.pop(0)
        return self.tries


def test_waits_double_up_to_a_limit_and_chance_takes_up_to_half(clock: Clock, patience: Patience) -> None:
    assert patience.until_done(Request(*[BUSY] * 9)) == 10
    for wait, most in zip(clock.slept, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_WAIT, LONGEST_WAIT, 5], strict=True):
        assert most / 2 <= wait <= most
    assert len(set(clock.slept)) == 9


def test_no_try_begins_after_the_stated_time(clock: Clock, patience: Patience) -> None:
    request = Request(GONE, forever=True)
    with pytest.raises(EndpointConnectionError):
        patience.until_done(request)
    assert PATIENCE_SECONDS - LONGEST_WAIT <= sum(clock.slept) <= PATIENCE_SECONDS
    assert request.tries == len(clock.slept) + 1


def test_who_gave_up_is_short_until_something_is_answered_or_a_while_has_passed(
    clock: Clock, patience: Patience
) -> None:
    for end in (lambda: patience.until_done(Request()), lambda: clock.sleep(SHORT_SECONDS)):
        with pytest.raises(EndpointConnectionError):
            patience.until_done(Request(GONE, forever=True))
        for tries in (0, 0, 1, 0, 1):
            clock.sleep(tries * PAUSE_SECONDS)
            again = Request(GONE, forever=True)
            with pytest.raises(EndpointConnectionError):
                patience.until_done(again)
            assert again.tries == tries
        clock.sleep(PAUSE_SECONDS)
        end()
        assert patience.until_done(Request(GONE)) == 2


@pytest.mark.parametrize("error", [answered(400, "ExpiredToken"), answered(404, "NoSuchKey"), NoCredentialsError()])
def test_what_does_not_pass_is_raised_at_once(clock: Clock, patience: Patience, error: Exception) -> None:
    with pytest.raises(type(error)):
        patience.until_done(Request(error, forever=True))
    assert clock.slept == []


def test_what_may_pass() -> None:
    for status, code in [(503, "x"), (429, "x"), (500, "x"), (502, "502"), (504, "504"), (400, "RequestTimeout")]:
        assert may_pass(answered(status, code))
    assert may_pass(FSTimeoutError())
    assert may_pass(ConnectionResetError())
    for status, code in [(403, "AccessDenied"), (412, "PreconditionFailed"), (301, "PermanentRedirect")]:
        assert not may_pass(answered(status, code))
