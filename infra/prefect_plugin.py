"""Adds `prefect run` to Prefect's command line; loaded by `import prefect` through the group `prefect.plugins`.

Prefect loads it where the setting `plugins.enabled` is on: in this checkout by pyproject.toml, elsewhere by
PREFECT_PLUGINS_ENABLED=true. It does nothing in any other process (workers, flow runs, Python sessions), and names
the commands by a string, so that nothing of ours is imported before `prefect run` is typed.

`prefect.cli._app` is a private name: pyproject.toml holds Prefect under the next minor version, tests hold the rest.
"""

import os
import sys
from pathlib import Path


def _is_command_line() -> bool:
    """Whether this process is `prefect ...` or `python -m prefect ...`."""
    if Path(sys.argv[0]).stem == "prefect":
        return True
    arguments = sys.orig_argv[1:]
    # `python -m prefect` imports the package before sys.argv is what it will be
    return "-m" in arguments and arguments[arguments.index("-m") + 1 :][:1] == ["prefect"]


def _register() -> None:
    from prefect.cli._app import _app

    # The commands are listed below this line, and not in it.
    _app.command("infra.cli:run_app", name="run", help="Run Counterpoint: which technique helps a recurrent network.")


if _is_command_line():
    os.environ.setdefault("DO_NOT_TRACK", "1")
    _register()
