"""From one store to another: what is committed there and not here yet, byte by byte, manifest and all.

So parts of a campaign may run on machines that share no store. A commit is copied as a commit is made, its objects and
then its manifest, and what it rests on goes before it: corpora before trials, trials before their scores. So a copy may
be interrupted, run again and run beside a campaign: what is here already is never touched, and who reads here sees
whole commits alone.

What this does not do: copy checkpoints, or the notes of finished campaigns, which are about the store that they lie in.
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
"""What can be copied, in the order in which it is."""
_CORPORA = "corpora"
_AT_A_TIME = 64


@dataclass(frozen=True)
class Copied:
    """What became of a folder.

    Attributes:
        folder: its name.
        copied: how many commits or names are here that were not.
        there: how many were here already.
        passed_over: a line for each that could not be copied.
    """

    folder: str
    copied: int
    there: int
    passed_over: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.folder}: {self.copied:,} copied, {self.there:,} there already"


@dataclass(frozen=True)
class Copies(Answer):
    """What became of every folder."""

    schema: ClassVar[str] = "copy"
    folders: Sequence[Copied]

    @property
    def passed_over(self) -> int:
        """How many could not be copied."""
        return sum(len(folder.passed_over) for folder in self.folders)

    def __str__(self) -> str:
        return "\n".join(line for folder in self.folders for line in (str(folder), *folder.passed_over))

    def to_json(self) -> dict[str, Any]:
        """A row a folder."""
        return {"folders": [asdict(folder) | {"passed_over": list(folder.passed_over)} for folder in self.folders]}


def copy_store(source: Store, target: Store, only: Sequence[str], tell: Callable[[str], None]) -> list[Copied]:
    """Copy what is committed in one store and not in the other.

    Args:
        source: is only read.
        target: gets it.
        only: of `FOLDERS`; all where none is named.
        tell: is called with a line from time to time.

    Raises:
        ConfigurationError: both are one store, or there is no such folder.
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
    here = set(target.prefixes(folder))  # what a listing misses is found by the commit itself
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
        for prefix in every:  # those of a copy that was stopped before its pointers, too
            point_to_newest(target, prefix)
        if copied:
            from tasks.publishing.trend import renew_trend  # with pandas: who copies trials need not wait for it

            renew_trend(target)
    return Copied(folder, copied, there, tuple(passed_over))


def _ours(prefix: str) -> bool:
    """Whether a commit may be ours: what people lay beside it is not copied."""
    folder, _, name = prefix.partition("/")
    return VERSION.fullmatch(name) is not None if folder == "reports" else is_digest(name)


def _commit(source: Store, target: Store, prefix: str) -> bool | str:
    """Whether a commit was copied, False where it was here already; why not, where it cannot be."""
    try:
        return target.adopt(*source.read_all(prefix))
    except (IntegrityError, NotFoundError, ConflictError) as error:
        return f"passed over: {error}"


def _names(source: Store, target: Store) -> Copied:
    """The names of corpora; one that stands for another corpus here stays as it is, and is told."""
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
