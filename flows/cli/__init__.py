"""The command line: `prefect run NAME` in a checkout, `counterpoint NAME` anywhere; the commands are the same.

A command turns its options into a request, calls a flow or a task, and prints the result. Heavy imports are inside the
commands, so that `--help` loads neither torch nor pandas nor Prefect's server; a test checks this.
"""

import os
from importlib.metadata import version

from cyclopts import App

from flows.cli import commands
from flows.cli.console import told_in_one_line, usage_error
from infra.machine.home import provide_home
from infra.machine.output import forgiving_output

__all__ = ["main", "run_app"]

HELP = "Recurrent networks with and without each technique, on music and text: which one helps, and how surely."


def _version() -> str:
    return f"counterpoint {version('counterpoint')}"


def _build(name: str) -> App:
    app = App(name=name, help=HELP, help_flags=["--help"], version=_version, error_formatter=usage_error)
    for command in (
        commands.reproduce,
        commands.plan,
        commands.ingest,
        commands.report,
        commands.pull,
        commands.compare,
        commands.copy,
        commands.sample,
        commands.verify,
        commands.gc,
        commands.disk,
        commands.delete,
        commands.notify,
    ):
        app.command(command)
    app.command(commands.list_reports, name="list")
    return app


run_app = _build("run")  # what `prefect run` looks up, see infra/prefect_plugin.py


def main() -> None:
    """Console script `counterpoint`."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with told_in_one_line():
        provide_home()
    with forgiving_output():
        _build("counterpoint")()
