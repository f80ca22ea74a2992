"""The commands, each a few lines: options in, a flow or a task called, its answer printed.

Everything but cyclopts is imported inside the commands; see `infra/cli/__init__.py`.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from infra.cli.console import told_in_one_line
from infra.cli.options import Campaign, Folder, Name, Output, Places, Preset, Store, Version

if TYPE_CHECKING:
    from infra.settings import CampaignRequest

THIS_MACHINE = Places()
PRESET = Campaign()
SHOWN = Output()


def reproduce(*, campaign: Campaign = PRESET, places: Places = THIS_MACHINE, output: Output = SHOWN) -> None:
    """Compare the techniques: search, train, score, and write the report.

    Trials that the store holds already are not trained again, so the same command goes on after an interruption.
    """
    with told_in_one_line():
        _run_flow("reproduce", campaign.request(places), output)


def plan(*, campaign: Campaign = PRESET, places: Places = THIS_MACHINE, output: Output = SHOWN) -> None:
    """Show what `reproduce` would run, and how many minutes it should take; trains nothing."""
    with told_in_one_line():
        print(_run_flow("plan", campaign.request(places), output))


def ingest(*names: Name, store: Store = None, places: Places = THIS_MACHINE, output: Output = SHOWN) -> None:
    """Parse corpora into the store, where later commands find them."""
    with told_in_one_line():
        digests = _run_flow("ingest", Campaign(store=store, corpora=names).request(places), output)
        for name, digest in digests.items():
            print(f"{name}  {digest}")


def report(*, campaign: Campaign = PRESET, places: Places = THIS_MACHINE, output: Output = SHOWN) -> None:
    """Build the report of a campaign again from what is stored; trains nothing."""
    with told_in_one_line():
        _run_flow("report", campaign.request(places), output)


def list_reports(*, store: Store = None) -> None:
    """List the versions of the report in a store, the latest one last."""
    with told_in_one_line():
        address = Campaign(store=store).request().store
        from infra.store import Store as ObjectStore
        from tasks.publish import list_reports as listed

        reports = listed(ObjectStore(address))
        for each in reports:
            print(each)
        if not reports:
            print(f"no report is published in {address}", file=sys.stderr)


def pull(version: Version = None, /, *, to: Folder, preset: Preset = None, store: Store = None) -> None:
    """Copy a version of the report out of a store, every byte checked."""
    with told_in_one_line():
        address = Campaign(store=store).request().store
        from infra.store import Store as ObjectStore
        from tasks.publish import pull as pulled

        print(pulled(ObjectStore(address), version, to, preset=preset))


def verify(*, store: Store = None) -> None:
    """Hash everything in a store again; ends with 1 where something is not what was committed."""
    with told_in_one_line():
        address = Campaign(store=store).request().store
        from infra.errors import IntegrityError
        from infra.store import Store as ObjectStore
        from tasks.verify import verify as verified

        found = verified(ObjectStore(address))
        for line in found.damaged:
            print(line)
        if found.damaged:
            raise IntegrityError(f"{len(found.damaged)} of {found.commits} commits are damaged")
        print(f"{found.commits} commits are whole")


def _run_flow(name: str, request: "CampaignRequest", output: Output) -> Any:
    """What the flow `flows.NAME.NAME` returns for a request, run on one API server, with quiet logs."""
    output.apply()
    from infra.progress import say
    from infra.server import api_server

    with api_server() as wait_until_ready:
        flow = getattr(import_module(f"flows.{name}"), name)
        _check(request)
        say("waiting for Prefect's API server")
        wait_until_ready()
        return flow(request)


def _check(request: "CampaignRequest") -> None:
    """Tell a mistake now, while the server boots, instead of after it; the flow itself checks again."""
    from infra.store import Store as ObjectStore
    from tasks.campaign import resolve

    resolve(request)
    ObjectStore(request.store).check_writable()
