"""Raise this process's limit on open files, or report in one line that it is too low.

A shell may start with a low soft limit, 256 on some systems, which a process may raise to thousands. Sockets to workers
and the engine that draws the charts need more than that at the end of a campaign.
"""

import resource

from infra.errors import CounterpointError

WANTED, NEEDED = 4096, 128


def raise_file_limit() -> None:
    """Raise the soft limit on open files if it is low; children inherit it.

    Raises:
        CounterpointError: even the hard limit is too low for a campaign and its charts.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft != resource.RLIM_INFINITY and soft < NEEDED:
        raise CounterpointError(
            f"only {soft} files may be open at once here, and {NEEDED} are needed: raise the limit (ulimit -n)"
        )
