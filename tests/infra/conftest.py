"""Stores to test: one a test, empty, in every kind of place that can be a store."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.store import Store
from tests.infra.s3 import BUCKET, environment, running_server
from tests.infra.s3_proxy import LossyProxy, lossy_proxy


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a real S3 server, one a session and worker."""
    with running_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_address(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store in the S3 server, the environment being set for it."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(s3_server).items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


@pytest.fixture
def proxy(s3_server: str, s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyProxy]:
    """A proxy on the way to the server of `s3_address`."""
    with lossy_proxy(s3_server) as proxy:
        for name, value in environment(proxy.endpoint).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture(params=["memory", "file", pytest.param("s3", marks=pytest.mark.integration)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, once for every kind of place."""
    if request.param == "s3":
        return str(request.getfixturevalue("s3_address"))
    if request.param == "memory":
        return f"memory://{secrets.token_hex(8)}"
    return f"file://{tmp_path / 'store'}"


@pytest.fixture
def store(address: str) -> Store:
    """An empty store, once for every kind of place."""
    return Store(address)
