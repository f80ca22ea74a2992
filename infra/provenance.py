"""The provenance of a result: code, lock file, library versions, processor, Prefect run. Never a secret.

It is written into every manifest and report. It does not enter any key, so a changed comment retrains nothing. It holds
no host name, no user, no path and no environment variable. Versions come from the metadata of installed packages, so
that neither torch nor prefect is imported for them.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
# Not read by any run: a changed benchmark, test or page of the docs changes no result.
_NOT_READ = ("benchmarks", "docs", "tests", ".ci", "README.md", "CHANGELOG.md")
_LIBRARIES = ("counterpoint", "torch", "numpy", "prefect", "dask")


def provenance() -> dict[str, Any]:
    """The provenance of a result made now, as JSON values.

    Returns:
        `commit`: 40 hexadecimal digits; `dirty`: whether files that a run reads differ from the commit (benchmarks,
        docs
            and tests do not count). Both are None outside of a checkout or of a `git archive` of one. `lock`: sha256 of
            constraints.txt, or None. `versions`: of Python and the libraries, None for one that is not installed.
            `processor`: its model. `cores`: number that this process may use. `platform`: `Linux-x86_64`. `flow_run`:
            id of the Prefect flow run, None outside of one.

    >>> sorted(provenance())
    ['commit', 'cores', 'dirty', 'flow_run', 'lock', 'platform', 'processor', 'versions']
    """
    # A copy, so that a caller's additions do not reach the next caller.
    fixed = dict(_fixed())
    return {**fixed, "versions": dict(fixed["versions"]), "flow_run": _flow_run()}


@lru_cache(maxsize=1)
def _fixed() -> dict[str, Any]:
    """The part that is constant for a process, which keeps running the code that it has loaded."""
    commit, dirty = _checkout(_ROOT)
    return {
        "commit": commit,
        "dirty": dirty,
        "lock": _lock(_ROOT),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _LIBRARIES}},
        "processor": _processor(),
        "cores": _cores(),
        "platform": f"{platform.system()}-{platform.machine()}",
    }


def _checkout(root: Path) -> tuple[str | None, bool | None]:
    # A package installed below somebody else's checkout must not take that one's commit for its own.
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root:
        return _archived(root)
    status = _git(root, "status", "--porcelain", "--", ".", *(f":(exclude){name}" for name in _NOT_READ))
    return _git(root, "rev-parse", "--verify", "HEAD"), None if status is None else bool(status)


def _archived(root: Path) -> tuple[str | None, bool | None]:
    """The commit that `git archive` wrote into a file, for a deployment's image, which has no git."""
    try:
        written = (root / "infra" / "commit.txt").read_text().strip()
    except (OSError, ValueError):
        return None, None
    return (written, False) if re.fullmatch(r"[0-9a-f]{40}", written) else (None, None)


def _git(root: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # In a git hook GIT_DIR and its like point elsewhere. No optional locks: a commit may be under way.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = [program, "--no-optional-locks", "-C", str(root), *arguments]
    try:
        return subprocess.check_output(  # noqa: S603
            command, env=environment, stderr=subprocess.DEVNULL, text=True, timeout=30
        ).strip()
    except (subprocess.SubprocessError, OSError):
        return None


def _lock(root: Path) -> str | None:
    try:
        return hashlib.sha256((root / "constraints.txt").read_bytes()).hexdigest()
    except OSError:
        return None


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _cores() -> int:
    # A container or taskset may leave fewer than the machine has; macOS cannot say.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _flow_run() -> str | None:
    # Inside a flow run, prefect is loaded. Loading it for the question would take most of a second.
    if "prefect" not in sys.modules:
        return None
    from prefect.runtime import flow_run

    return flow_run.id or None
