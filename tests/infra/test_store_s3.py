"""S3 as a store: what a person reads when it is out of reach or refuses, and answers that get lost."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem

from infra.errors import ConflictError, StoreError
from infra.store import Store
from infra.store.s3 import TIMEOUTS, Part, S3Backend, _connect
from tests.infra import writers
from tests.infra.s3 import READER, WRITER
from tests.infra.s3_proxy import LossyProxy

pytestmark = pytest.mark.integration


@pytest.fixture
def silent_endpoint() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def closed_endpoint() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def refused(address: str) -> str:
    """The one line with which a store cannot be opened; it must hold no secret."""
    with pytest.raises(StoreError) as caught:
        Store(address)
    line = str(caught.value)
    assert line.isprintable()
    assert WRITER[1] not in line
    assert READER[1] not in line
    assert "hush" not in line
    return line


def test_a_bucket_that_does_not_exist(s3_address: str) -> None:
    assert "s3://no-such-bucket at 127.0.0.1:" in (line := refused("s3://no-such-bucket/x"))
    assert line.endswith(": there is no such bucket; create it, or mend the address")
    assert refused("s3://no-such-bucket") == line  # the first try has not made it


def test_wrong_credentials(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mend = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert refused(s3_address).endswith(f"the credentials are refused (SignatureDoesNotMatch); {mend}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOBODY")
    assert refused(s3_address).endswith(f"the credentials are refused (InvalidAccessKeyId); {mend}")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert refused(s3_address).endswith(f"no credentials; {mend}")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    assert refused(s3_address).endswith(f"no credentials; {mend}")


@pytest.mark.parametrize(
    ("place", "why"),
    [("closed_endpoint", "EndpointConnectionError"), ("silent_endpoint", "no answer in time")],
)
def test_an_endpoint_that_does_not_answer(
    s3_address: str, place: str, why: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.store.s3.CHECK_SECONDS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue(place))
    assert f": out of reach ({why}); check AWS_ENDPOINT_URL and the network" in refused(s3_address)


def test_an_endpoint_that_is_not_a_url(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "hush")
    mend = "AWS_ENDPOINT_URL is no address; write it as http://host:port or https://host"
    assert refused(s3_address).endswith(f" at an endpoint that is not a URL: {mend}")
    for without_scheme in ("localhost:9000", "hush.example:9000/x", "hush.example"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", without_scheme)
        assert refused(s3_address).endswith(f" at an endpoint that is not a URL: {mend}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:hush@127.0.0.1:1")
    assert " at 127.0.0.1:1: " in refused(s3_address)


def test_a_reader_reads_and_is_told_that_it_cannot_write(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writers.commit(Store(s3_address), "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", READER[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", READER[1])
    store = Store(s3_address)
    store.verify(writers.PREFIX)
    with pytest.raises(StoreError, match=r"may not \(AccessDenied\); they need to read, write, delete and list$"):
        store.check_writable()


def test_a_lost_answer_is_no_defeat(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    store.check_writable()
    proxy.statuses.clear()
    proxy.lose = 3  # those of both objects and of the manifest
    digest, winner = writers.commit(store, "1")
    assert sorted(proxy.statuses[:4]) == [200, 200, 412, 412], "the objects are written side by side"
    assert proxy.statuses[4:] == [200, 412]
    manifest = store.manifest(writers.PREFIX)
    assert manifest is not None
    assert (manifest.digest, winner) == (digest, "1")
    store.verify(writers.PREFIX)
    for number in (1, 2):  # created, then replaced
        proxy.lose = 1
        store.swap_pointer("latest.json", {"number": number}, store.read_pointer("latest.json")[1])
        assert store.read_pointer("latest.json")[0] == {"number": number}
    assert proxy.statuses[6:] == [200, 412] * 2


def test_a_broken_body_is_read_again(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    writers.commit(store, "1")
    proxy.cut = 2
    store.verify(writers.PREFIX)
    assert proxy.cut == 0


def test_bytes_that_do_not_fit_their_checksum_are_read_again(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    writers.commit(store, "1")
    proxy.damaged = 2
    store.verify(writers.PREFIX)
    assert proxy.damaged == 0


PASSING = [
    (503, "SlowDown"),
    (503, "ServiceUnavailable"),
    (429, "TooManyRequests"),
    (500, "InternalError"),
    (400, "RequestTimeout"),
    (409, "OperationAborted"),
]


def test_what_passes_is_sent_again_by_every_operation(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    for number, act in enumerate(
        (
            lambda: Store(s3_address),
            lambda: writers.commit(store, "1"),
            lambda: store.verify(writers.PREFIX),
            lambda: store.prefixes("trials"),
            store.objects,
            lambda: store.discard("checkpoints/key/7"),
        )
    ):
        proxy.refused, proxy.reset = [PASSING[number]], 1
        act()
        assert (proxy.refused, proxy.reset) == ([], 0)


FAILS = "the server fails, again and again"
BAD_WEATHER: list[tuple[dict[str, Any], str]] = [
    ({"refused": [(503, "SlowDown")] * 99}, "too many requests, again and again; wait, or run fewer workers"),
    ({"refused": [(429, "TooManyRequests")] * 99}, "too many requests, again and again; wait, or run fewer workers"),
    ({"refused": [(503, "ServiceUnavailable")] * 99}, FAILS),
    ({"refused": [(500, "InternalError")] * 99}, FAILS),
    ({"reset": 99}, r"out of reach \(ConnectionClosedError\); check AWS_ENDPOINT_URL and the network"),
    ({"silent": 99}, r"out of reach \(ReadTimeoutError\); check AWS_ENDPOINT_URL and the network"),
    ({"cut": 99}, "out of reach|cut or damaged"),
    ({"damaged": 99}, r"cut or damaged, again and again \(FlexibleChecksumError\); check the network"),
]


@pytest.mark.parametrize(("weather", "line"), BAD_WEATHER, ids=["-".join(map(str, w)) for w, _ in BAD_WEATHER])
def test_weather_that_stays_bad_is_one_line_within_the_stated_time_and_then_at_once(
    proxy: LossyProxy, s3_address: str, weather: dict[str, Any], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.store.s3_patience.PATIENCE_SECONDS", 0.8)
    monkeypatch.setitem(TIMEOUTS, "read_timeout", 0.2)
    monkeypatch.setenv("AWS_APP_ID", "impatient")  # another environment: a client of its own
    _connect.cache_clear()
    store = Store(s3_address)
    writers.commit(store, "1")
    before = len(proxy.requests)
    for name, value in weather.items():
        setattr(proxy, name, value)
    monkeypatch.setattr("infra.store.s3_patience.PAUSE_SECONDS", 0.5)
    for tries in (range(2, 20), range(1), range(1, 3)):  # aiohttp sends one again whose connection was old
        time.sleep(0.5 if tries == range(1, 3) else 0)
        begun = time.monotonic()
        with pytest.raises(StoreError, match=line) as caught:
            store.verify(writers.PREFIX)
        assert time.monotonic() - begun < 5, "not a second, and what the last try took"
        assert str(caught.value).isprintable()
        assert len(proxy.requests) - before in tries, "who has given up does not wait again"
        before = len(proxy.requests)
    for name, value in weather.items():
        setattr(proxy, name, type(value)())
    time.sleep(0.5)
    store.verify(writers.PREFIX)
    proxy.reset = 2
    store.verify(writers.PREFIX)
    assert proxy.reset == 0, "what succeeded once is patient again"


def test_credentials_that_expire_are_told_at_once(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    writers.commit(store, "1")
    before = len(proxy.requests)
    proxy.refusal = (400, "ExpiredToken", "", {})
    with pytest.raises(StoreError, match="the session has expired; get new credentials, and set all of AWS_ACCESS_KEY"):
        store.verify(writers.PREFIX)
    assert len(proxy.requests) - before == 1


ENDPOINT = "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint><Bucket>b</Bucket>"


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (
            (301, "PermanentRedirect", ENDPOINT, {"x-amz-bucket-region": "eu-west-1"}),
            "the bucket is in the region eu-west-1; set AWS_DEFAULT_REGION=eu-west-1,",
        ),
        (
            (400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>", {}),
            "the bucket is in the region eu-west-1; set AWS_DEFAULT_REGION=eu-west-1,",
        ),
        ((301, "PermanentRedirect", ENDPOINT, {}), "the bucket is in another region, and nobody says in which;"),
    ],
)
def test_a_bucket_in_another_region(proxy: LossyProxy, s3_address: str, refusal: Any, told: str) -> None:
    proxy.refusal = refusal
    assert told in refused(s3_address)


def test_building_the_client_takes_no_time_from_the_first_request(
    s3_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it takes longer than an answer may."""
    set_session = S3FileSystem.set_session

    async def slowly(self: Any, *arguments: Any, **named: Any) -> Any:
        if self._s3 is None:
            await asyncio.sleep(1.5)
        return await set_session(self, *arguments, **named)

    monkeypatch.setattr(S3FileSystem, "set_session", slowly)
    monkeypatch.setattr(S3FileSystem, "connect", sync_wrapper(slowly))
    monkeypatch.setattr("infra.store.s3.CHECK_SECONDS", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # another environment: a client of its own
    Store(s3_address).check_writable()


def test_a_part_of_an_object_is_read_while_it_is_the_same(proxy: LossyProxy, s3_address: str) -> None:
    backend = S3Backend(s3_address.removeprefix("s3://"))
    assert backend.read_part("a", 0, 4) is None
    assert backend.create("a", b"0123456789")
    proxy.cut = 2
    first = backend.read_part("a", 0, 4)
    assert first is not None
    assert (first.data, first.total) == (b"0123", 10)
    assert backend.read_part("a", 8, 4, first.token) == Part(b"89", first.token, 10)
    behind = backend.read_part("a", 10, 4, first.token)
    assert behind is not None
    assert behind.data == b""
    assert backend.replace("a", b"changed", first.token)
    with pytest.raises(ConflictError, match="it has changed"):
        backend.read_part("a", 4, 4, first.token)
    with pytest.raises(StoreError, match="there is no such bucket"):
        S3Backend("no-such-bucket").read_part("a", 0, 4)


def test_a_browser_is_told_what_an_object_is(s3_address: str) -> None:
    """A page, of which a browser else makes a download; what is replaced is told anew."""
    backend, files = S3Backend(s3_address.removeprefix("s3://")), _connect(os.getpid(), ())
    told = {}
    for path in ("reports/index.html", "reports/1/scores.csv", "latest.json", "weights.safetensors"):
        assert backend.create(path, b"1")
        stored = backend.read(path)
        assert stored is not None
        assert backend.replace(path, b"2", stored.token)
        told[path] = files.info(f"{s3_address}/{path}")["ContentType"]
    assert told == {
        "reports/index.html": "text/html; charset=utf-8",
        "reports/1/scores.csv": "text/csv; charset=utf-8",
        "latest.json": "application/json",
        "weights.safetensors": "application/octet-stream",
    }


def test_a_write_that_collides_is_sent_again(proxy: LossyProxy, s3_address: str) -> None:
    store = Store(s3_address)
    proxy.conflict = 3
    writers.commit(store, "1")
    assert proxy.conflict == 0
    store.verify(writers.PREFIX)


def test_no_secret_is_stored(s3_address: str) -> None:
    store = Store(s3_address)
    manifest = store.commit("trials/1", {}, kind="trial", provenance={})
    for text in (store.address, repr(store), manifest.to_bytes().decode()):
        assert WRITER[0] not in text
        assert WRITER[1] not in text
