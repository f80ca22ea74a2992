"""A recipe of a corpus: its name, the version of its rules, its input files, and the function that builds it.

A recipe is an entry of `tasks.ingest.corpora.CORPORA`, or is made for a user's own files. It only reads;
`tasks/ingest/stored.py` writes to the store. All files are read first, in one place, and the parsers get bytes. A
failing disk is therefore an error of the whole ingest, and is never mistaken for one bad file to set aside.
"""

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import ConfigurationError, CorpusError
from models.data_kinds import Kind
from tasks.corpus.corpus import Corpus
from tasks.ingest.sources.body import DownloadProgress

BuildProgress = Callable[[int, int], None]
"""Called with the number of inputs that are done, and of all inputs."""
MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Like the builtin `map`, with results in the order of the inputs. A caller with workers passes a parallel one."""


@dataclass(frozen=True)
class Source:
    """The user's address of the data.

    Attributes:
        address: a folder, an archive or a file; None for the known address of the corpus.
        manifest: address of an official MIDI set's table of splits, order and transpositions; None for the one beside
            the archive.
        progress: called with the bytes of a download, done and in all.
    """

    address: str | None = None
    manifest: str | None = None
    progress: DownloadProgress | None = None


HERE = Source()
"""The known address of the corpus."""


@dataclass(frozen=True)
class Rejected:
    """The reason why a file gives no piece. It is a value and not an error, so that one bad file stops nothing."""

    reason: str


@dataclass(frozen=True)
class Recipe:
    """How one corpus is made.

    Attributes:
        name: for users, `bach-chorales`.
        kind: of the corpus, known before anything is parsed.
        rules: version of the ingest rules. Raise it with every code change that can change the corpus; otherwise stores
            would keep returning the old one.
        read_inputs: returns the contents of the input files by name, in the order of the names.
        build: makes the corpus from these contents. It reports progress, and parses through the map function.
        settings: further values that determine the corpus, such as a step or a threshold; JSON values.
        embedded: whether the files come with the installation, so that no address is needed.
        generated: whether the corpus is synthetic: drawn from its settings, without any files.
    """

    name: str
    kind: Kind
    rules: int
    read_inputs: Callable[[Source], Mapping[str, bytes]]
    build: Callable[[Mapping[str, bytes], BuildProgress, MapFunction], Corpus]
    settings: Mapping[str, Any] = field(default_factory=dict)
    embedded: bool = False
    generated: bool = False


def only_embedded(name: str, source: Source) -> None:
    """Refuse a source for a corpus that comes with the installation.

    Raises:
        ConfigurationError: a source is given.
    """
    if source.address is not None or source.manifest is not None:
        raise ConfigurationError(f"corpus {name}: it comes with the installation, and is not read from elsewhere")


def read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """The contents of some files of the installation, by name, sorted by name.

    Raises:
        CorpusError: a file cannot be read.
    """
    try:
        return {path.name: path.read_bytes() for path in sorted(paths)}
    except OSError as error:
        raise CorpusError(f"{error.filename}: {error.strerror}; make it readable and run again") from error


def no_manifest(name: str, source: Source) -> None:
    """Refuse a manifest for a corpus without one.

    Raises:
        ConfigurationError: a manifest is given.
    """
    if source.manifest is not None:
        raise ConfigurationError(f"corpus {name}: it has no manifest; leave --manifest out")


def music21_folder(name: str) -> Path:
    """The folder of the corpus that the music21 package ships; music21 itself is not imported (it is slow).

    Args:
        name: `bach`, `oneills1850`, ...

    Raises:
        CorpusError: music21 is not installed, or was installed without its corpus.
    """
    spec = importlib.util.find_spec("music21")
    if spec is None or not spec.submodule_search_locations:
        raise CorpusError("music21 is not installed, and its scores are the default data: pip install music21")
    folder = Path(spec.submodule_search_locations[0]) / "corpus" / name
    if not folder.is_dir():
        raise CorpusError(f"this music21 has no scores at {folder}: install the full package from PyPI")
    return folder
