"""Adds `prefect run` to Prefect's command line; `import prefect` loads it by the entry-point group `prefect.plugins`.

Prefect loads it if the setting `plugins.enabled` is on: in this checkout by pyproject.toml, elsewhere by
PREFECT_PLUGINS_ENABLED=true. It does nothing in processes other than `prefect` (workers, flow runs, Python sessions).
It names the commands by a string, so that nothing of ours except the Ctrl-C message is imported before `prefect run`.

`prefect.cli._app` is a private name: pyproject.toml keeps Prefect below the next minor version, and tests cover the
rest.
"""

import os
import sys
from pathlib import Path

from infra.machine.stopped import hear_early


def _arguments() -> list[str] | None:
    """The arguments after `prefect` or `python -m prefect`; None if this process is neither."""
    if Path(sys.argv[0]).stem == "prefect":
        return sys.argv[1:]
    given = sys.orig_argv[1:]
    # With `python -m prefect` the package is imported before sys.argv has its final value.
    behind = given[given.index("-m") + 1 :] if "-m" in given else []
    return behind[1:] if behind[:1] == ["prefect"] else None


def _register() -> None:
    from prefect.cli._app import _app

    # The commands are listed below this line, and not in it.
    _app.command("flows.cli:run_app", name="run", help="Run Counterpoint: which technique helps a recurrent network.")


if (arguments := _arguments()) is not None:
    os.environ.setdefault("DO_NOT_TRACK", "1")
    if arguments[:1] == ["run"]:
        hear_early()
    _register()
