"""Whether workers can work for a flow: what is out of their reach is said in one line."""

import http.server
import threading
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from infra.cluster.preflight import check_reach, what_is_out_of_reach
from infra.errors import ClusterError
from infra.store import Store


class Silent(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def api():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api"
        server.shutdown()


def test_a_worker_that_sees_both_can_work(tmp_path: Path, api: str) -> None:
    store = Store(str(tmp_path / "store"))
    with store.beacon() as beacon:
        assert what_is_out_of_reach(store.address, beacon, api) == ""
        assert what_is_out_of_reach(store.address, beacon, None) == ""


def test_another_store_under_the_same_address_is_told(tmp_path: Path) -> None:
    """What `file://` is on another machine: the same words, another folder."""
    reason = what_is_out_of_reach(str(tmp_path / "elsewhere"), ".beacon-of-ours", None)
    assert reason.startswith("has another store under")
    assert "s3://" in reason


def test_a_store_that_cannot_be_opened_and_a_server_that_does_not_answer_are_told(tmp_path: Path) -> None:
    assert what_is_out_of_reach("/proc/nowhere", "b", None).startswith("cannot use the store: ")
    store = Store(str(tmp_path / "store"))
    with store.beacon() as beacon:
        reason = what_is_out_of_reach(store.address, beacon, "http://127.0.0.1:9/api")
    assert reason.startswith("cannot reach the Prefect server at 127.0.0.1:9 (ConnectError): set PREFECT")


@pytest.mark.integration
def test_a_worker_in_a_process_of_its_own_is_asked(tmp_path: Path) -> None:
    anywhere = {"dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}
    with LocalCluster(n_workers=1, **anywhere) as cluster, Client(cluster) as client:
        check_reach(client, Store(str(tmp_path / "store")))
        with pytest.raises(ClusterError, match=r"the Dask worker tcp://\S+ has another store under memory://here"):
            check_reach(client, Store("memory://here"))
