"""Check that `models`, `tasks` and our other packages are not shadowed by a user's folder of the same name.

Python imports the first one on its path, and would then complain about a missing module. This check names the folder
that is in the way.
"""

from importlib.util import find_spec
from pathlib import Path

# For each package, a file that it always has.
_OURS = {"infra": "errors", "models": "data_kinds", "tasks": "campaign/campaign", "flows": "reproduce"}


def in_the_way() -> str | None:
    """A line about the first file or folder that shadows one of our packages; None if there is none."""
    for package, module in _OURS.items():
        spec = find_spec(package)
        folders = [] if spec is None else list(spec.submodule_search_locations or ())
        if any((Path(folder) / f"{module}.py").is_file() for folder in folders):
            continue
        found = spec.origin if spec is not None and not folders else next(iter(folders), None)
        if found is None:
            return f"{package}: this package of Counterpoint is not installed; install it again"
        return (
            f"{found}: this is not Counterpoint's package `{package}`, and is in its way;"
            " rename it, or work in another folder"
        )
    return None
