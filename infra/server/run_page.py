"""A flow run on Prefect's page: its tags, log, scores and events, and its end even if the process was killed.

A killed process cannot report its end, and its run would stay Running for ever. So each run records its process, and
the next run on the same machine marks runs without a living process as Crashed.

What this does not do: judge runs of other machines, or runs from before a reboot. A server marks those by an automation
on missing heartbeats (`notifications.py`).
"""

import logging
import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.events import emit_event
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Crashed

from infra.machine.output import tell
from infra.server.configured import absence

_log = logging.getLogger(__name__)

EVENTS = "counterpoint"
"""What the names of our events and of their resources begin with."""
PROCESS = "counterpoint.process"
_MOST = 200


def introduce(tags: Iterable[str]) -> None:
    """Tag the running flow run, record its process, and mark runs whose processes are gone as Crashed."""
    run = UUID(flow_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(run, tags=sorted({*flow_run.get_tags(), *tags}))
        client.update_flow_run_labels(run, {PROCESS: f"{place()}/{os.getpid()}"})
        mark_crashed(client)


def tag_run(tag: str) -> None:
    """Tag the running flow run; a failure is only logged."""
    try:
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(flow_run.get_id()), tags=sorted({*flow_run.get_tags(), tag}))
    except httpx.HTTPError as error:
        _log.warning("%s: this run is not tagged %s there", absence(error), tag)


def leave_event(name: str, resource: str, labels: Mapping[str, str], payload: Mapping[str, Any]) -> None:
    """Emit the event `counterpoint.NAME` of the resource `counterpoint.RESOURCE`, related to the running flow run.

    Prefect sends it in the background, and only logs a failure.

    Args:
        name: of the event.
        resource: its id.
        labels: of the resource, each after `counterpoint.`.
        payload: JSON values, kept in Prefect's database and shown on its page: no secret, and under a megabyte.
    """
    told = {f"{EVENTS}.{label}": value for label, value in labels.items()}
    named = {"prefect.resource.id": f"{EVENTS}.{resource}", "prefect.resource.name": resource}
    emit_event(f"{EVENTS}.{name}", named | told, payload=dict(payload))


def tell_all(text: object) -> None:
    """Write to standard output and to the log of the flow run."""
    tell(text)
    get_run_logger().info("%s", text)


def leave_artifact(version: str, markdown: str) -> None:
    """Store the scores of a report as an artifact in Prefect; a failure is only logged."""
    try:
        create_markdown_artifact(markdown, key="counterpoint-report", description=f"Report {version}")
    except httpx.HTTPError as error:  # the report is published in any case
        _log.warning("%s: this run has no artifact there", absence(error))


def mark_crashed(client: SyncPrefectClient) -> None:
    """Mark Running flow runs as Crashed if their process was on this machine and is gone."""
    running = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
    for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(state=running), limit=_MOST):
        where, _, process = str(run.labels.get(PROCESS, "")).rpartition("/")
        if where == place() and is_gone(int(process)):
            client.set_flow_run_state(run.id, Crashed(message="Its process was killed."), force=True)


def place() -> str:
    """A name for the scope of process ids: this boot of the machine, and the container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def is_gone(process: int) -> bool:
    """Whether there is no process with that id."""
    try:
        with suppress(PermissionError):  # it exists, and belongs to somebody else
            os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False
