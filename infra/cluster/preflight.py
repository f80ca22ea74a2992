"""Whether each worker can do its work: it must see the flow's store and reach the flow's Prefect server.

On this machine both are a matter of course, unless the store is in memory. Elsewhere a `file://` store is another
folder on every machine, and the throw-away server of a laptop listens on the laptop's loopback: work would be done into
nowhere, or not at all, without a word.
"""

import distributed
import httpx
from prefect.settings import get_current_settings

from infra.errors import ClusterError, CounterpointError
from infra.server.configured import shown
from infra.store import Store

SECONDS = 10.0


def check_reach(client: distributed.Client, store: Store) -> None:
    """Ask every worker.

    Raises:
        ClusterError: the first worker that cannot work for this flow run, with the reason and the mend.
    """
    api = get_current_settings().api.url
    with store.beacon() as beacon:
        # Not a task: those of another campaign may keep a worker busy for hours.
        for worker, reason in client.run(what_is_out_of_reach, store.address, beacon, api).items():
            if reason:
                raise ClusterError(f"the Dask worker {worker} {reason}")


def what_is_out_of_reach(store_address: str, beacon: str, api: str | None) -> str:
    """Run on a worker: the reason why it cannot work, empty where it can."""
    try:
        if not Store(store_address).sees(beacon):
            return f"has another store under {store_address}: take s3://, or a folder that all machines share"
    except CounterpointError as error:
        return f"cannot use the store: {error}"
    try:
        if api is not None:
            httpx.get(f"{api}/health", timeout=SECONDS).raise_for_status()  # by the proxies that Prefect will take
    except httpx.HTTPError as error:
        where = f"{shown(str(api))} ({type(error).__name__})"
        return f"cannot reach the Prefect server at {where}: set PREFECT_API_URL to one that it reaches"
    return ""
