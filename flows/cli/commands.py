"""The commands, a few lines each: take options, call a flow or a task, print its answer.

All imports except cyclopts are inside the commands; see `flows/cli/__init__.py`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.cli.console import told_in_one_line
from flows.cli.options import (
    AsJson,
    Campaign,
    ComparisonFolder,
    Data,
    Delete,
    Folder,
    Force,
    From,
    FromTables,
    Hours,
    KeepDays,
    KeepReports,
    Key,
    Name,
    OlderNumerics,
    OldVersion,
    Only,
    Output,
    Places,
    Preset,
    Remove,
    ReportFolder,
    SampleFile,
    Seed,
    Show,
    Steps,
    StoreAddress,
    Tables,
    Test,
    To,
    Version,
    Versions,
)
from flows.cli.running import check_prefect, run_flow
from infra.errors import ConfigurationError
from infra.machine.output import tell

if TYPE_CHECKING:
    from infra.settings import CampaignRequest
    from infra.store import Store

THIS_MACHINE = Places()
DATA = Data()
PRESET = Campaign()
SHOWN = Output()


def reproduce(*, campaign: Campaign = PRESET, places: Places = THIS_MACHINE, output: Output = SHOWN) -> None:
    """Compare the techniques: search, train, score, and write the report.

    Trials that the store holds already are not trained again, so the same command goes on after an interruption.
    """
    with told_in_one_line(output.json):
        request = campaign.request(places)
        if not _was_finished(request, output):
            _run_campaign("reproduce", request, output)


def plan(
    *, campaign: Campaign = PRESET, show: Show = False, places: Places = THIS_MACHINE, output: Output = SHOWN
) -> None:
    """Show what `reproduce` would run, and how many minutes it should take; trains nothing."""
    with told_in_one_line(output.json):
        request = campaign.request(places)
        if show and output.json:
            raise ConfigurationError("--show: prints the campaign as a file in TOML; leave --json out")
        tell(_campaign_file(request) if show else _run_campaign("plan", request, output))


def ingest(
    *names: Name, store: StoreAddress = None, data: Data = DATA, places: Places = THIS_MACHINE, output: Output = SHOWN
) -> None:
    """Parse corpora into the store, where later commands find them by their names."""
    with told_in_one_line(output.json):
        request = data.request(names, store, places)

        def check() -> bool:
            from tasks.ingest.requests import requested_recipes

            requested_recipes(request)
            return False

        run_flow("ingest", request, output, check)


def report(
    *,
    campaign: Campaign = PRESET,
    source: FromTables = None,
    to: ReportFolder = None,
    places: Places = THIS_MACHINE,
    output: Output = SHOWN,
) -> None:
    """Build the report of a campaign again from what is stored, or from its tables alone; trains nothing."""
    with told_in_one_line(output.json):
        if source is None:
            if to is not None:
                raise ConfigurationError("--to: goes with --from; `prefect run pull --to` copies a report of a store")
            _run_campaign("report", campaign.request(places), output)
            return
        if (campaign, places) != (PRESET, THIS_MACHINE):
            raise ConfigurationError("--from: its tables say which campaign it is; leave all but --to out")
        output.apply()
        from infra.cluster.progress import say
        from tasks.publishing.answers.reports import Rebuilt
        from tasks.publishing.rebuild import rebuild

        tell(Rebuilt(rebuild(source, to or Path("report"), say)))


def list_reports(*, store: StoreAddress = None, json: AsJson = False) -> None:
    """List the versions of the report in a store, the latest one last."""
    with told_in_one_line(json):
        address = Campaign(store=store).request().store
        from infra.store import Store
        from tasks.publishing.answers.reports import Listing
        from tasks.publishing.publish import published_reports

        reports = published_reports(Store(address, create=False), lambda line: print(line, file=sys.stderr))
        tell(Listing(reports))
        if not reports:
            print(f"no report is published in {address}", file=sys.stderr)


def pull(
    version: Version = None,
    /,
    *,
    to: Folder,
    tables: Tables = False,
    preset: Preset = None,
    store: StoreAddress = None,
    json: AsJson = False,
) -> None:
    """Copy a version of the report out of a store, every byte checked."""
    with told_in_one_line(json):
        opened = _opened(store)
        from tasks.publishing.answers.reports import Pulled
        from tasks.publishing.publish import pull_report, resolve_version

        meant = resolve_version(opened, version, preset)
        tell(Pulled(meant, pull_report(opened, meant, to, tables=tables)))


def compare(*versions: Versions, json: AsJson = False, to: ComparisonFolder = None, store: StoreAddress = None) -> None:
    """Say what changed between two versions of the report, and whether it can be told: settings, code, data, results.

    One version alone is compared with the one before it of the same preset; none, the latest is.
    """
    with told_in_one_line(json):
        address = Campaign(store=store).request().store
        from tasks.publishing.answers.compared import Compared
        from tasks.publishing.compare import compare_versions, write_comparison

        made = compare_versions(versions, address)
        tell(Compared(made, None if to is None else write_comparison(made, to)))


def copy(*, source: From, to: To, only: Only = (), json: AsJson = False) -> None:
    """Copy what is committed in one store and not in the other, every byte checked; safe beside running campaigns."""
    with told_in_one_line(json):
        addresses = [Campaign(store=address).request().store for address in (source, to)]
        from infra.cluster.progress import say
        from infra.errors import IntegrityError
        from infra.store import Store
        from tasks.upkeep.copying import Copies, copy_store

        target = Store(addresses[1])
        target.check_writable()
        copies = Copies(copy_store(Store(addresses[0], create=False), target, only, say))
        tell(copies)
        if copies.passed_over:
            raise IntegrityError(f"{copies.passed_over} could not be copied; the rest was")


def sample(
    trial: Key,
    /,
    *,
    to: SampleFile,
    seed: Seed = None,
    steps: Steps = None,
    store: StoreAddress = None,
    json: AsJson = False,
) -> None:
    """Let a trained network go on from the beginning of a test piece: music as MIDI, text as text."""
    with told_in_one_line(json):
        opened = _opened(store)
        from tasks.trials.samples import write_sample

        tell(write_sample(opened, trial, to, seed, steps))


def verify(*, store: StoreAddress = None, json: AsJson = False) -> None:
    """Hash everything in a store again; ends with 1 where something is not what was committed."""
    with told_in_one_line(json):
        opened = _opened(store)
        from infra.errors import IntegrityError
        from tasks.telling.wording import plural
        from tasks.upkeep.verify import verify_store

        found = verify_store(opened)
        tell(found)
        if found.damaged:
            raise IntegrityError(f"{plural(len(found.damaged), 'fault')} in a store of {found.commits} commits")


def gc(
    *,
    delete: Delete = False,
    keep_reports: KeepReports = None,
    keep_days: KeepDays = None,
    older_numerics: OlderNumerics = False,
    hours: Hours = 24.0,
    store: StoreAddress = None,
    json: AsJson = False,
) -> None:
    """Show, or remove, what killed writers left in a store, and where it is asked old reports and outdated trials."""
    with told_in_one_line(json):
        from tasks.upkeep.collecting import collect
        from tasks.upkeep.retention import Rule

        rule = Rule(keep_reports, keep_days)
        tell(collect(_opened(store), rule, older_numerics=older_numerics, hours=hours, delete=delete))


def delete(version: OldVersion, /, *, force: Force = False, store: StoreAddress = None, json: AsJson = False) -> None:
    """Remove one version of the report from a store; its trials stay."""
    with told_in_one_line(json):
        opened = _opened(store)
        from tasks.upkeep.deletion import Deleted, delete_report

        tell(Deleted(version, delete_report(opened, version, force=force)))


def disk(*, store: StoreAddress = None, json: AsJson = False) -> None:
    """Show what takes the space of a store, and what of it could go."""
    with told_in_one_line(json):
        opened = _opened(store)
        from tasks.upkeep.disk import Disk, usage

        tell(Disk(usage(opened, lambda line: print(line, file=sys.stderr))))


def notify(*, test: Test = False, remove: Remove = False, json: AsJson = False) -> None:
    """Have the Prefect server tell what goes wrong at night: a score that regressed, a run that failed or is missing.

    The address, https:// of a webhook or mailtos:// of mail, is asked for and not shown; or COUNTERPOINT_NOTIFY has it;
    or standard input does.
    """
    with told_in_one_line(json):
        if test and remove:
            raise ConfigurationError("--test, --remove: one of them at a time")
        check_prefect()
        from infra.machine.secret_input import asked_secret
        from infra.server.configured import check_server, configured_server, server_watched

        check_server(configured_server())
        address = "" if remove else asked_secret("COUNTERPOINT_NOTIFY", "the address for messages")
        from infra.server import notifications

        with server_watched("; the same command sets up what is missing"):
            tell(notifications.remove() if remove else notifications.notify(address, test=test))


def _opened(store: StoreAddress) -> "Store":
    """The store of an option, for commands that only read; it is not created if it is missing."""
    address = Campaign(store=store).request().store
    from infra.store import Store

    return Store(address, create=False)


def _campaign_file(request: "CampaignRequest") -> str:
    """The campaign of a request as the text of a campaign file."""
    from infra.store import Store
    from tasks.campaign import campaign_text, resolve

    return campaign_text(resolve(request, Store(request.store)).to_json()).rstrip()


def _run_campaign(name: str, request: "CampaignRequest", output: Output) -> Any:
    def check() -> bool:
        from infra.store import Store
        from tasks.campaign import resolve
        from tasks.search.foresight import work_is_left

        store = Store(request.store)
        campaign = resolve(request, store)
        return name == "reproduce" and request.cluster is None and work_is_left(store, campaign)

    return run_flow(name, request, output, check)


def _was_finished(request: "CampaignRequest", output: Output) -> bool:
    """Whether the campaign is known as finished; if so, print its outcome and leave a flow run on a configured server.

    Only the store is asked; no temporary server, cluster or torch is started for it.
    """
    check_prefect()
    from prefect.settings import get_current_settings

    from infra.store import Store
    from tasks.publishing.finished import finished

    store = Store(request.store)
    known = finished(store, request)
    if known is None:
        return False
    if get_current_settings().api.url is None:
        tell(known.line)
        tell(known.outcome(store))
        return True
    output.apply()
    from flows.finished import leave_run
    from infra.server.configured import server_watched
    from infra.server.server import api_server

    with api_server(), server_watched():
        leave_run(request, store, known)
    return True
