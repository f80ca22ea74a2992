"""Messages about what happens at night: automations of a Prefect server, and the webhook or mail that they call.

    counterpoint: a score regressed    the event counterpoint.report.regressed (`tasks/publishing/since_last.py`)
    counterpoint: a run failed         a run of a deployment of ours ended as Failed, Crashed or TimedOut
    counterpoint: a run did not start  it was late, and still is after half an hour: nobody is there to run it
    counterpoint: a run is lost        its process sends no heartbeat any more; it is marked as Crashed, which is told

The server sends the messages, so that they come where no process of ours is left. Where to is kept encrypted, in a
block of Prefect's: a `Webhook`, which gets the JSON object {"text": ...} as Slack, Mattermost and Google Chat take it,
or an address of Apprise, as mailtos:// for mail. Everything has a fixed name, so that setting it up twice gives one.

What this does not do: tell that the server itself is gone. A monitor elsewhere asks its /api/health.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from prefect.blocks.core import Block
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events import emit_event
from prefect.events.actions import Action, CallWebhook, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound
from prefect.types import SecretDict
from pydantic import SecretStr

from infra.errors import ConfigurationError, CounterpointError
from infra.machine.answer import Answer
from infra.server.run_page import EVENTS

BLOCK = "counterpoint-notify"
FLOWS = ("reproduce", "report", "plan", "ingest")
UNSTARTED = timedelta(minutes=30)
"""How long a run may be late before that is told."""
SILENT = timedelta(minutes=10)
"""How long a run may send no heartbeat; by itself Prefect sends one every three minutes."""
ANSWER_SECONDS = 60.0
SENT = "sent"
TEST = f"{EVENTS}.notify.tested"
_ENDED = ("Completed", "Failed", "Crashed", "Cancelled", "TimedOut")
_MAIL = ("mailto", "mailtos")
_HTTP = ("http", "https")
_RUN = "deployment.name ~ ', ' ~ flow_run.name ~ ': '"
_MESSAGES = {
    "a score regressed": "event.payload.text",
    "a run failed": f"{_RUN} ~ flow_run.state.name ~ ': ' ~ flow_run.state.message",
    "a run did not start": f"{_RUN} ~ 'due ' ~ flow_run.expected_start_time ~ ', and not started: is a worker there?'",
}
"""Expressions of Jinja, by the names of their automations; docs.prefect.io has what they may name."""
LOST = "a run is lost"
_SILENT = "It sends no heartbeat any more."
NAMES = tuple(f"{EVENTS}: {name}" for name in (*_MESSAGES, LOST))


@dataclass(frozen=True)
class Notified(Answer):
    """What a server tells, and where to.

    Attributes:
        to: kinds and hosts of the addresses that get the messages; empty if nothing is told.
        automations: names of the automations.
        tested: what the server said of a test message; "" if none was sent.
    """

    schema: ClassVar[str] = "notified"
    to: tuple[str, ...]
    automations: tuple[str, ...]
    tested: str

    def __str__(self) -> str:
        if not self.to:
            return "nothing is told any more: the automations and the addresses are removed"
        lines = [f"told to {' and '.join(self.to)}:", *(f"  {name}" for name in self.automations)]
        return "\n".join([*lines, *([f"test message: {self.tested}"] if self.tested else [])])

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return {"to": list(self.to), "automations": list(self.automations), "tested": self.tested or None}


def notify(
    address: str, *, test: bool = False, unstarted: timedelta = UNSTARTED, silent: timedelta = SILENT
) -> Notified:
    """Have the configured server send messages to an address, also to one of the other kind that it has already.

    Args:
        address: `https://...` of a webhook, or `mailtos://USER:PASSWORD@HOST?from=ADDRESS&to=ADDRESS` of mail. No
            message repeats it.
        test: whether the server is to send a test message, too.
        unstarted: how long a run may be late before that is told.
        silent: how long a run may send no heartbeat before it is taken for crashed.

    Raises:
        ConfigurationError: the address is of no such kind.
        CounterpointError: the server is gone, or could not send the test message.
    """
    block = _block(address)
    block.save(BLOCK, overwrite=True)
    with get_client(sync_client=True) as client:
        blocks = _stored(client)
        for automation in _automations(blocks, unstarted, silent):
            found = client.read_automations_by_name(automation.name)
            if found:
                client.update_automation(found[0].id, automation)
            else:
                client.create_automation(automation)
    return Notified(tuple(map(_shown, blocks)), NAMES, _send_test(blocks) if test else "")


def remove() -> Notified:
    """Remove the automations and the addresses from the configured server."""
    with get_client(sync_client=True) as client:
        for name in NAMES:
            for found in client.read_automations_by_name(name):
                client.delete_automation(found.id)
        for block in _stored(client):
            client.delete_block_document(_id(block))
    return Notified((), (), "")


def _send_test(blocks: Sequence[Block]) -> str:
    """Let the server send a test message to every address, and return what it says of it.

    Raises:
        CounterpointError: the server could not send it, or said nothing within a minute.
    """
    begun, deadline = datetime.now(UTC) - timedelta(seconds=5), time.monotonic() + ANSWER_SECONDS
    emit_event(TEST, {"prefect.resource.id": f"{EVENTS}.notify"}, payload={"text": "A test message of Counterpoint."})
    with get_client(sync_client=True) as client:
        (automation,) = client.read_automations_by_name(NAMES[0])
        while time.monotonic() < deadline:
            answers = _answers(client, automation, begun)
            if bad := [answer for answer in answers if answer != SENT]:
                raise CounterpointError(f"the server could not send the test message: {'; '.join(bad)}")
            if len(answers) >= len(blocks):
                return SENT
            time.sleep(0.5)
    raise CounterpointError(
        f"the server said nothing of the test message within {ANSWER_SECONDS:.0f} s: its triggers may be off"
        " (PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED)"
    )


def _answers(client: SyncPrefectClient, automation: Automation, since: datetime) -> list[str]:
    """What the server did for an automation since then: `SENT`, or the reason why not."""
    asked = {
        "occurred": {"since": since.isoformat()},
        "event": {"name": ["prefect.automation.action.executed", "prefect.automation.action.failed"]},
        "resource": {"id": [f"prefect.automation.{automation.id}"]},
    }
    response = client._client.post("/events/filter", json={"filter": asked, "limit": 50})
    response.raise_for_status()
    return [_answer(event) for event in response.json()["events"]]


def _answer(event: dict[str, Any]) -> str:
    payload = event["payload"]
    status = payload.get("status_code")
    if event["event"].endswith("failed"):
        return str(payload.get("reason", "no reason is told"))
    return SENT if status is None or 200 <= int(status) < 300 else f"the webhook answers with status {status}"


def _block(address: str) -> Block:
    """The block of an address."""
    parts = urlsplit(address)
    if parts.scheme in _HTTP and parts.hostname:
        headers = SecretDict({"Content-Type": "application/json"})
        return Webhook(method="POST", url=SecretStr(address), headers=headers)
    if parts.scheme in _MAIL and parts.hostname:
        # the one block of Prefect's that hands any address on to Apprise, which sends mail
        return SlackWebhook(url=SecretStr(address))
    raise ConfigurationError(
        "the address is neither one of a webhook, https://, nor one of mail, mailtos:// (docs/operations.md has both)"
    )


def _stored(client: SyncPrefectClient) -> list[Block]:
    """The addresses that the server has."""
    found: list[Block] = []
    for kind in (Webhook, SlackWebhook):
        try:
            document = client.read_block_document_by_name(BLOCK, kind.get_block_type_slug(), include_secrets=True)
        except ObjectNotFound:
            continue
        found.append(kind._from_block_document(document))
    return found


def _id(block: Block) -> UUID:
    assert block._block_document_id is not None  # noqa: S101  # it was stored
    return block._block_document_id


def _shown(block: Block) -> str:
    """Kind and host of an address; the rest may be secret."""
    assert isinstance(block, Webhook | SlackWebhook)  # noqa: S101  # `_stored` has no others
    kind = "a webhook" if isinstance(block, Webhook) else "mail"
    return f"{kind} at {urlsplit(block.url.get_secret_value()).hostname}"


def _sending(name: str, blocks: Sequence[Block]) -> list[Action]:
    """The actions that send the message of an automation to every address."""
    subject, message = f"Counterpoint: {name}", _MESSAGES[name]
    text = f'{{"text": {{{{ ({json.dumps(subject + chr(10))} ~ {message}) | tojson }}}}}}'
    return [
        CallWebhook(block_document_id=_id(block), payload=text)
        if isinstance(block, Webhook)
        else SendNotification(block_document_id=_id(block), subject=subject, body=f"{{{{ {message} }}}}")
        for block in blocks
    ]


def _automations(blocks: Sequence[Block], unstarted: timedelta, silent: timedelta) -> list[AutomationCore]:
    regressed, failed, late = _MESSAGES
    runs = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
    ours: list[Any] = [
        {"prefect.resource.role": "flow", "prefect.resource.name": list(FLOWS)},
        {"prefect.resource.role": "deployment"},
    ]
    return [
        _automation(
            regressed,
            EventTrigger(
                expect={f"{EVENTS}.report.regressed", TEST},
                match=ResourceSpecification({"prefect.resource.id": [f"{EVENTS}.report.*", f"{EVENTS}.notify"]}),
            ),
            _sending(regressed, blocks),
        ),
        _automation(
            failed,
            EventTrigger(expect=_states("Failed", "Crashed", "TimedOut"), match=runs, match_related=ours),
            _sending(failed, blocks),
        ),
        _automation(
            late,
            EventTrigger(
                after=_states("Late"),
                expect=_states("Pending", "Running", *_ENDED),
                match=runs,
                match_related=ours,
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                within=unstarted,
            ),
            _sending(late, blocks),
        ),
        _automation(
            LOST,
            EventTrigger(
                after=_states("heartbeat"),
                expect=_states("heartbeat", *_ENDED),
                match=runs,
                match_related=ours,
                for_each={"prefect.resource.id"},
                posture=Posture.Proactive,
                within=silent,
            ),
            [ChangeFlowRunState(name=None, state=StateType.CRASHED, message=_SILENT, force=False)],
        ),
    ]


def _automation(name: str, trigger: EventTrigger, actions: Sequence[Any]) -> AutomationCore:
    """An automation with every field set: Prefect's client leaves the others out of an update, their types as well."""
    made = AutomationCore(name=f"{EVENTS}: {name}", trigger=trigger, actions=list(actions))
    return AutomationCore(**made.model_dump(exclude={"owner_resource"}))


def _states(*names: str) -> set[str]:
    return {f"prefect.flow-run.{name}" for name in names}
