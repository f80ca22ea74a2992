"""What a corpus file must say: its name, the version of its rules, its input files, and how to build it.

A recipe is an entry of `tasks.ingest.corpora.CORPORA`, or is made for a user's own files. It reads files, and writes
nothing: storing is `tasks/ingest/stored.py`. All files are read first, in one place, and parsers get bytes: a disk that
fails is then an error of the ingest, and can never be taken for one bad file to be set aside.
"""

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.errors import ConfigurationError, CorpusError
from models.data_kinds import Kind
from tasks.corpus.corpus import Corpus

# Called with (inputs done, inputs in all).
Progress = Callable[[int, int], None]
# Called with (bytes done, bytes in all or None).
Downloaded = Callable[[int, int | None], None]
# Like the builtin `map`: results in the order of the inputs. A caller with workers gives its own.
MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Source:
    """Where a user says that the data is.

    Attributes:
        address: a folder, an archive or a file; None for where the corpus is known to be.
        manifest: address of the table of an official MIDI set: splits, order, transpositions; None for the one that
            lies beside the archive.
        progress: called with the bytes of a download, done and in all.
    """

    address: str | None = None
    manifest: str | None = None
    progress: Downloaded | None = None


HERE = Source()
"""Where the corpus is known to be."""


@dataclass(frozen=True)
class Rejected:
    """A file that gives no piece, and why: a value, so that one bad file stops nothing."""

    reason: str


@dataclass(frozen=True)
class Recipe:
    """How one corpus is made.

    Attributes:
        name: how people call it, `bach-chorales`.
        kind: of the corpus, known before anything is parsed.
        rules: version of the ingest rules; raise it with any change of code that can change the corpus,
            so that nobody's store gives back the old one.
        read_inputs: the contents of the input files by name, in the order of the names.
        build: the corpus of these contents. It reports progress, and parses through the map function.
        settings: what else the corpus is a function of, JSON values: a step, a threshold.
        embedded: whether its files come with the installation, so that nobody has to say where they are.
        generated: whether it is made up from its settings, and there are no files.
    """

    name: str
    kind: Kind
    rules: int
    read_inputs: Callable[[Source], Mapping[str, bytes]]
    build: Callable[[Mapping[str, bytes], Progress, MapFunction], Corpus]
    settings: Mapping[str, Any] = field(default_factory=dict)
    embedded: bool = False
    generated: bool = False


def only_embedded(name: str, source: Source) -> None:
    """Refuse a source for a corpus that comes with the installation.

    Raises:
        ConfigurationError: one is given.
    """
    if source.address is not None or source.manifest is not None:
        raise ConfigurationError(f"corpus {name}: it comes with the installation, and is not read from elsewhere")


def read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """The contents of some files of the installation by their names, sorted.

    Raises:
        CorpusError: one of them cannot be read.
    """
    try:
        return {path.name: path.read_bytes() for path in sorted(paths)}
    except OSError as error:
        raise CorpusError(f"{error.filename}: {error.strerror}; make it readable and run again") from error


def no_manifest(name: str, source: Source) -> None:
    """Refuse a manifest for a corpus that has none.

    Raises:
        ConfigurationError: one is given.
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
