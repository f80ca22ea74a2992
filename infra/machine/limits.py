"""How many files this process may have open: as many as the system lets it have, and enough, or one line.

A shell may allow few, 256 on some systems, of up to thousands that a process may ask for. Sockets to workers and the
engine that draws the charts need more than that when it counts, at the end of a campaign.
"""

import resource

from infra.errors import CounterpointError

WANTED, NEEDED = 4096, 128


def raise_file_limit() -> None:
    """Ask for more files where the shell allows few; children inherit it.

    Raises:
        CounterpointError: there cannot be enough for a campaign and its charts.
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
