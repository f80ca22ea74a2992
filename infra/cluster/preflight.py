"""Check before work starts that each worker sees the flow's store and reaches the flow's Prefect server.

On this machine both always hold, unless the store is in memory. On other machines a `file://` store may be a different
folder, and a laptop's temporary server listens only on the laptop's loopback. Without this check, results would be lost
or tasks would never start, without any message.
"""

import distributed
import httpx
from prefect.settings import get_current_settings

from infra.cluster.waiting import ask_workers
from infra.errors import ClusterError, CounterpointError
from infra.server.configured import shown
from infra.store import Store

SECONDS = 10.0


def check_reach(client: distributed.Client, store: Store) -> None:
    """Check every worker.

    Raises:
        ClusterError: a worker cannot work for this flow run; the message gives the first one, the reason and the mend.
    """
    api = get_current_settings().api.url
    with store.beacon() as beacon:
        for worker, reason in ask_workers(client, what_is_out_of_reach, store.address, beacon, api).items():
            if reason:
                raise ClusterError(f"the Dask worker {worker} {reason}")


def what_is_out_of_reach(store_address: str, beacon: str, api: str | None) -> str:
    """Runs on a worker: the reason why the worker cannot work, or "" if it can."""
    try:
        if not Store(store_address).sees(beacon):
            return f"has another store under {store_address}: take s3://, or a folder that all machines share"
    except CounterpointError as error:
        return f"cannot use the store: {error}"
    try:
        if api is not None:
            httpx.get(f"{api}/health", timeout=SECONDS).raise_for_status()  # through the same proxies as Prefect
    except httpx.HTTPError as error:
        where = f"{shown(str(api))} ({type(error).__name__})"
        return f"cannot reach the Prefect server at {where}: set PREFECT_API_URL to one that it reaches"
    return ""
