"""Fetching: local files, a web server that breaks off, changes its mind or lies, and a real S3 server."""

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import CorpusError
from tasks.ingest.sources import download as download_module
from tasks.ingest.sources import s3 as remote_s3
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.body import Body, Held
from tasks.ingest.sources.download import TRIES, downloads_folder
from tasks.ingest.sources.fetch import fetch, is_folder
from tests.infra.s3 import BUCKET
from tests.tasks.ingest.web import Site, running_site

DATA = np.random.default_rng(3).bytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return downloads_folder()


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site(DATA) as running:
        yield running


def refused(address: str, **options: object) -> str:
    """The one line with which an address is refused; it must hold no secret."""
    with pytest.raises(CorpusError) as caught:
        fetch(address, **options)  # type: ignore[arg-type]
    line = str(caught.value)
    assert line.isprintable()
    assert "hush" not in line
    return line


def kept(cache: Path) -> set[str]:
    """Kinds of files in the cache, the lock aside."""
    return {path.suffix for path in cache.iterdir()} - {".lock"}


# Local files


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_local_file_with_a_blank_in_its_name(tmp_path: Path, form: str) -> None:
    path = tmp_path / "a b.zip"
    path.write_bytes(DATA)
    typed = str(path) if form == "{}" else str(path).replace(" ", "%20")
    assert fetch(form.format(typed), sha256=SHA256.upper()) == DATA
    assert is_folder(str(tmp_path))
    assert not is_folder(str(path))


def test_what_is_wrong_with_a_local_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    assert refused(str(tmp_path / "b")) == f"{tmp_path / 'b'}: No such file or directory; check the address"
    assert "a folder; give the address of a file" in refused(str(tmp_path))
    assert "over the limit of 299,999 bytes" in refused(str(path), limit=299_999)
    assert fetch(str(path), limit=300_000) == DATA
    assert f"its sha256 is {SHA256}, not 00" in refused(str(path), sha256="0" * 64)
    os.mkfifo(tmp_path / "pipe")
    assert "a device or a pipe" in refused(str(tmp_path / "pipe"))
    assert "Permission denied" not in refused("/dev/zero")
    assert "a device" in refused("/dev/zero")


# Addresses


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("", "it is empty"),
        ("http://", "it is empty"),
        ("ftp://me:hush@host/a", "protocol 'ftp' is not known"),
        ("memory://a", "protocol 'memory' is not known"),
        ("simplecache::http://me:hush@host/a", "protocol 'simplecache' is not known"),
        ("s3://AK:hush@bucket/key", "which is how credentials look"),
        ("s3://bucket/key?token=hush", "which is how credentials look"),
        ("s3://bucket", "wants a bucket and the key"),
        ("s3://bucket/", "wants a bucket and the key"),
        ("http://[::1/hush", "not a URL with a host"),
        ("http:///hush", "not a URL with a host"),
        ("http://host:99999/hush", "not a URL with a host"),
        ("/a\0b", "cannot be printed"),
    ],
)
def test_addresses_that_cannot_be(address: str, what: str) -> None:
    assert what in refused(address)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_is_told(text: str) -> None:
    with contextlib.suppress(CorpusError):
        assert str(parse_source(text)).isprintable()


def test_the_shown_address_and_name_have_no_secret() -> None:
    source = parse_source("https://me:hush@host:81/x/JSB%20Chorales.zip?token=hush#hush")
    assert str(source) == "https://host:81/x/JSB%20Chorales.zip"
    assert source.name == "JSB Chorales.zip"


# The web


def test_a_download_is_kept_and_the_server_asked_whether_it_changed(site: Site, cache: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    assert fetch(site.address, progress=lambda done, total: seen.append((done, total))) == DATA
    assert seen[0] == (0, len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert kept(cache) == {"", ".json"}
    site.cuts = [0, 0]  # no byte of a body comes any more
    assert fetch(site.address) == DATA
    site.cuts, site.data, site.tag = [], b"newer", '"two"'
    assert fetch(site.address) == b"newer"
    assert fetch(site.address) == b"newer"


def test_a_pinned_file_that_is_here_needs_no_server(site: Site) -> None:
    assert fetch(site.address, sha256=SHA256) == DATA
    site.status = 500
    assert fetch(site.address, sha256=SHA256) == DATA
    assert len(site.asked) == 1


def test_a_broken_connection_is_resumed_where_it_broke(site: Site, cache: Path) -> None:
    site.cuts = [100_000, 50_000]
    assert fetch(site.address, sha256=SHA256) == DATA
    assert site.asked == ["", "bytes=100000-", "bytes=150000-"]
    assert kept(cache) == {"", ".json"}


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(site: Site, cache: Path) -> None:
    site.cuts = [1000] * TRIES
    assert f"the connection broke {TRIES} times; run again" in refused(site.address)
    assert kept(cache) == {".part", ".json"}
    assert fetch(site.address) == DATA
    assert site.asked[-1] == f"bytes={1000 * TRIES}-"


def test_a_date_is_as_good_as_a_tag(site: Site) -> None:
    site.tag, site.date, site.cuts = "", "Wed, 20 May 2015 19:29:51 GMT", [100_000]
    assert fetch(site.address) == DATA
    assert site.asked == ["", "bytes=100000-"]


@pytest.mark.parametrize("change", [{"parts": False}, {"tag": ""}, {"tag": 'W/"weak"'}])
def test_a_server_without_parts_or_without_a_version_starts_over(site: Site, change: dict[str, object]) -> None:
    for name, value in change.items():
        setattr(site, name, value)
    site.cuts = [100_000]
    assert fetch(site.address) == DATA
    assert "tag" not in change or site.asked == ["", ""]


def test_a_file_that_changed_between_the_halves_starts_over(site: Site) -> None:
    site.cuts = [10_000] * TRIES
    refused(site.address)
    site.cuts, site.data, site.tag, site.asked = [], DATA[::-1], '"two"', []
    assert fetch(site.address) == DATA[::-1]
    assert len(site.asked) == 1, "If-Range has the server decide"


def test_a_server_that_knows_ranges_and_not_their_condition_cannot_join_two_files(site: Site) -> None:
    site.cuts = [10_000] * TRIES
    refused(site.address)
    site.cuts, site.data, site.tag, site.careless = [], DATA[::-1], '"two"', True
    assert fetch(site.address) == DATA[::-1]


def test_a_part_that_is_longer_than_the_file_starts_over(site: Site, cache: Path) -> None:
    site.cuts = [1000] * TRIES
    refused(site.address)
    next(cache.glob("*.part")).write_bytes(DATA + b"more")
    assert fetch(site.address) == DATA


def test_a_damaged_note_starts_over(site: Site, cache: Path) -> None:
    site.cuts = [1000] * TRIES
    refused(site.address)
    next(cache.glob("*.json")).write_text("[")
    assert fetch(site.address) == DATA


def test_a_wrong_sha256_keeps_nothing(site: Site, cache: Path) -> None:
    line = refused(site.address, sha256="0" * 64)
    assert line.endswith(f"its sha256 is {SHA256}, not {'0' * 64}: damaged or another file; nothing is kept")
    assert kept(cache) == set()
    assert fetch(site.address) == DATA
    refused(site.address, sha256="0" * 64)
    assert kept(cache) == set()


@pytest.mark.parametrize("lengthless", [False, True])
def test_a_file_over_the_limit_keeps_nothing(site: Site, cache: Path, lengthless: bool) -> None:
    site.lengthless = lengthless
    line = refused(site.address, limit=len(DATA) - 1)
    assert ("over the limit of 299,999" if lengthless else "300,000 bytes, over the limit") in line
    assert kept(cache) == set()
    assert fetch(site.address, limit=len(DATA)) == DATA


@pytest.mark.parametrize(
    ("status", "what"),
    [(404, "there is no such file (404)"), (403, "the server refuses it (403)"), (503, "cannot give it now (503)")],
)
def test_what_the_server_refuses_is_told_without_the_secrets_of_the_address(
    site: Site, status: int, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    site.status = status
    address = site.address.replace("http://", "http://me:hush@") + "?token=hush"
    assert what in refused(address)
    assert site.authorization.startswith("Basic ")
    assert "me:hush" not in caplog.text
    assert "HTTP Request" in caplog.text


def test_a_file_that_has_moved_is_followed(site: Site) -> None:
    assert fetch(site.address.replace("/songs/a%20b.zip", "/moved"), sha256=SHA256) == DATA


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert refused(f"http://me:hush@127.0.0.1:{port}/a?hush").endswith(
        "/a: out of reach (ConnectError); check the address and the network"
    )


def test_a_cache_that_cannot_be_written_is_told(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "Not a directory; mend it, or set XDG_CACHE_HOME" in refused(site.address)


def test_many_download_one_file_once(site: Site) -> None:
    site.pause = 0.2
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: fetch(site.address, sha256=SHA256), range(3))) == [DATA] * 3
    assert len(site.asked) == 1


def test_a_body_that_ends_early_without_an_error_is_not_taken_for_whole(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def short(address: object, held: Held) -> Iterator[Body]:
        yield Body(held.size, "1", 9, iter([DATA[held.size : held.size + 4]]) if held.size < 8 else iter(()))

    monkeypatch.setattr(download_module, "open_remote", short)
    assert "the connection broke" in refused("http://host/a")
    assert kept(cache) == {".part", ".json"}
    assert next(cache.glob("*.part")).read_bytes() == DATA[:8]


# S3


@pytest.mark.integration
def test_an_object_in_s3_is_fetched_resumed_and_noticed_when_it_changes(
    s3_address: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    monkeypatch.setattr(remote_s3, "BLOCK", 100_000)
    key = s3_address.removeprefix(f"s3://{BUCKET}/") + "/a b.zip"
    address = f"s3://{BUCKET}/{key}"
    client = boto3.client("s3")
    client.put_object(Bucket=BUCKET, Key=key, Body=DATA)
    assert fetch(address, sha256=SHA256) == DATA
    assert fetch(address) == DATA

    class Killed(Exception):
        pass

    def kill(done: int, total: int | None) -> None:
        if done >= 100_000:
            raise Killed

    other = DATA[::-1]
    client.put_object(Bucket=BUCKET, Key=key, Body=other)
    with pytest.raises(Killed):
        fetch(address, progress=kill)
    seen: list[int] = []
    assert fetch(address, progress=lambda done, total: seen.append(done)) == other
    assert seen == [100_000, 200_000, 300_000]
    client.put_object(Bucket=BUCKET, Key=key, Body=DATA)
    assert fetch(address) == DATA

    client.put_object(Bucket=BUCKET, Key=key, Body=other)
    with pytest.raises(Killed):
        fetch(address, progress=kill)
    client.put_object(Bucket=BUCKET, Key=key, Body=DATA)
    assert fetch(address) == DATA, "the halves of two objects are never joined"
    client.put_object(Bucket=BUCKET, Key=key, Body=b"")
    assert fetch(address) == b""
    client.close()
    assert "there is no such object" in refused(address + "x")
    assert "there is no such bucket" in refused("s3://no-such-bucket/a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert "these credentials may not read it" in refused(f"s3://{BUCKET}/other")
