"""What a corpus file must say: its name, the version of its rules, its input files, and how to build it.

A recipe is one entry of `tasks.ingest.corpora.CORPORA`. It reads files, and writes nothing: storing is
`tasks/ingest/cache.py`. All files are read first, in one place, and parsers get bytes: a disk that fails is then an
error of the ingest, and can never be taken for one bad file to be set aside.
"""

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import CorpusError
from models.kinds import Kind
from tasks.corpus import Corpus

# Called with (inputs done, inputs in all).
Progress = Callable[[int, int], None]
# Like the builtin `map`: results in the order of the inputs. A caller with workers gives its own.
MapFunction = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


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
    """

    name: str
    kind: Kind
    rules: int
    read_inputs: Callable[[], Mapping[str, bytes]]
    build: Callable[[Mapping[str, bytes], Progress, MapFunction], Corpus]


def read_files(paths: Iterable[Path]) -> dict[str, bytes]:
    """The contents of some files by their names, sorted.

    Raises:
        CorpusError: one of them cannot be read.
    """
    try:
        return {path.name: path.read_bytes() for path in sorted(paths)}
    except OSError as error:
        raise CorpusError(f"{error.filename}: {error.strerror}; make it readable and run again") from error


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
