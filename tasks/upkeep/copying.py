"""Copy the commits of one store that another store lacks, byte by byte, manifests included.

So parts of a campaign can run on machines that share no store. A commit is copied in the order in which it was made,
its objects and then its manifest. Commits it depends on are copied before it: corpora before trials, trials before
their scores. A copy can therefore be interrupted, repeated, and run beside a campaign. Existing objects of the target
are never changed, and its readers only see whole commits.

What this does not do: copy checkpoints, or notes of finished campaigns, which only hold for their own store.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from infra.errors import ConfigurationError, ConflictError, IntegrityError, NotFoundError
from infra.machine.answer import Answer
from infra.store import Store
from tasks.ingest import find_name
from tasks.publishing.publish import VERSION, point_to_newest
from tasks.telling.readable import is_digest, many

FOLDERS = ("data", "ingests", "corpora", "trials", "samples", "scores", "reports")
"""The folders that can be copied, in the order of copying."""
_CORPORA = "corpora"
_AT_A_TIME = 64


@dataclass(frozen=True)
class Copied:
    """The result for one folder.

    Attributes:
        folder: name of the folder.
        copied: number of commits or names that were copied.
        there: number that were in the target already.
        passed_over: a line for each one that could not be copied.
    """

    folder: str
    copied: int
    there: int
    passed_over: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.folder}: {self.copied:,} copied, {self.there:,} there already"


@dataclass(frozen=True)
class Copies(Answer):
    """The results for all folders."""

    schema: ClassVar[str] = "copy"
    folders: Sequence[Copied]

    @property
    def passed_over(self) -> int:
        """Number of commits and names that could not be copied."""
        return sum(len(folder.passed_over) for folder in self.folders)

    def __str__(self) -> str:
        return "\n".join(line for folder in self.folders for line in (str(folder), *folder.passed_over))

    def to_json(self) -> dict[str, Any]:
        """A row for each folder."""
        return {"folders": [asdict(folder) | {"passed_over": list(folder.passed_over)} for folder in self.folders]}


def copy_store(source: Store, target: Store, only: Sequence[str], tell: Callable[[str], None]) -> list[Copied]:
    """Copy the commits of one store that the other lacks.

    Args:
        source: is only read.
        target: gets the commits.
        only: names out of `FOLDERS`; all folders if it is empty.
        tell: called with a progress line from time to time.

    Raises:
        ConfigurationError: both stores are the same, or a folder's name is unknown.
        StoreError: a store cannot be used.
    """
    if source.address == target.address:
        raise ConfigurationError(f"{source.address}: --from and --to are one store")
    for name in only:
        if name not in FOLDERS:
            raise ConfigurationError(f"--only {name!r}: there is none; take some of {', '.join(FOLDERS)}")
    return [
        _names(source, target) if folder == _CORPORA else _commits(source, target, folder, tell)
        for folder in FOLDERS
        if not only or folder in only
    ]


def _commits(source: Store, target: Store, folder: str, tell: Callable[[str], None]) -> Copied:
    every = [prefix for prefix in source.prefixes(folder) if _ours(prefix)]
    here = set(target.prefixes(folder))  # commits that the listing misses are noticed when they are copied
    prefixes = [prefix for prefix in every if prefix not in here]
    copied, there, passed_over = 0, len(every) - len(prefixes), []
    for start in range(0, len(prefixes), _AT_A_TIME):
        if start:
            tell(f"copying {folder}: {start:,} of {len(prefixes):,}")
        for made in many(lambda prefix: _commit(source, target, prefix), prefixes[start : start + _AT_A_TIME]).values():
            if isinstance(made, str):
                passed_over.append(made)
            else:
                copied, there = copied + made, there + (not made)
    if folder == "reports":
        for prefix in every:  # also for reports of an earlier copy that was stopped before its pointers
            point_to_newest(target, prefix)
        if copied:
            from tasks.publishing.trend import renew_trend  # imports pandas, which copying trials does not need

            renew_trend(target)
    return Copied(folder, copied, there, tuple(passed_over))


def _ours(prefix: str) -> bool:
    """Whether a prefix has the form of our commits; other files in a store are not copied."""
    folder, _, name = prefix.partition("/")
    return VERSION.fullmatch(name) is not None if folder == "reports" else is_digest(name)


def _commit(source: Store, target: Store, prefix: str) -> bool | str:
    """True if the commit was copied, False if the target has it already, or the reason why it cannot be copied."""
    try:
        return target.adopt(*source.read_all(prefix))
    except (IntegrityError, NotFoundError, ConflictError) as error:
        return f"passed over: {error}"


def _names(source: Store, target: Store) -> Copied:
    """Copy the names of corpora. A name that points to another corpus in the target is kept there, and reported."""
    copied, there, passed_over = 0, 0, []
    for listed in source.objects(_CORPORA):
        if not listed.path.endswith(".json"):
            continue
        name = listed.path.removeprefix(f"{_CORPORA}/").removesuffix(".json")
        try:
            value, _ = source.read_pointer(listed.path)
            own, token = target.read_pointer(listed.path)
            if value is None or own == value:
                there += own is not None
            elif own is None:
                target.swap_pointer(listed.path, value, token)
                copied += 1
            else:
                digests = [named.digest[:12] for store in (target, source) if (named := find_name(store, name))]
                passed_over.append(f"passed over: the name {name} is that of corpus {' here, of '.join(digests)} there")
        except (IntegrityError, ConflictError) as error:
            passed_over.append(f"passed over: {error}")
    return Copied(_CORPORA, copied, there, tuple(passed_over))
