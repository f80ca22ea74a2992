"""How a command runs a flow: on one API server, while whose start the request is checked and the workers start.

All heavy imports are inside the functions; see `flows/cli/__init__.py`.
"""

import gc
import io
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flows.cli.options import Output
from infra.errors import ConfigurationError

if TYPE_CHECKING:
    from infra.settings import CampaignRequest, IngestRequest


def check_prefect() -> None:
    """Import Prefect, which reads its settings; raise `ConfigurationError` if it cannot."""
    messages = io.StringIO()
    try:
        with redirect_stderr(messages):  # on failure Prefect prints the same problem in many lines
            import prefect.main  # noqa: F401
        sys.stderr.write(messages.getvalue())
    except ValueError as problem:  # not TOML, or an invalid value
        where = os.environ.get("PREFECT_PROFILES_PATH") or "profiles.toml in PREFECT_HOME (~/.prefect)"
        reason = " ".join(str(problem).split())[:200]
        raise ConfigurationError(
            f"Prefect cannot read its settings: {reason}; mend or move away {where}, .env or prefect.toml here, or a "
            "variable PREFECT_..."
        ) from problem


def _import_flow(name: str) -> Any:
    """The flow `flows.NAME.NAME`. Its import loads torch; without garbage collection that is a tenth faster."""
    gc.disable()
    try:
        return getattr(import_module(f"flows.{name}"), name)
    finally:
        gc.freeze()
        gc.enable()


def run_flow(name: str, request: "CampaignRequest | IngestRequest", output: Output, check: Callable[[], bool]) -> Any:
    """Run the flow `flows.NAME.NAME` on one API server, with quiet logs, and return its result.

    `check` raises the user's mistakes while the server still boots; the flow itself checks again. It returns whether
    workers of this machine will be needed, which then start while the server boots.
    """
    check_prefect()
    output.apply()
    from infra.machine.limits import raise_file_limit
    from infra.server.configured import server_watched
    from infra.server.server import api_server
    from infra.store import Store

    raise_file_limit()
    with api_server() as wait_until_ready:
        flow = _import_flow(name)
        from infra.cluster.clusters import cluster_early
        from infra.cluster.forking import fork_workers_from_here
        from infra.cluster.progress import say
        from infra.cluster.workers import Workers

        fork_workers_from_here()
        store = Store(request.store)
        store.check_writable()
        workers = Workers.for_request(store, request)
        with cluster_early(workers.count) if check() else nullcontext():
            say("waiting for Prefect's API server")
            wait_until_ready()
            with server_watched():
                return flow(request)
