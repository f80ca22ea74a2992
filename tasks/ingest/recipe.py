"""What a corpus file must say: its name, the version of its rules, its input files, and how to build it.

A recipe is one entry of `tasks.ingest.corpora.CORPORA`. It reads files, and writes nothing: storing is
`tasks/ingest/cache.py`.
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
        find_inputs: the input files by name, without reading them.
        build: the corpus of these files. It reports progress, and parses through the map function.
    """

    name: str
    kind: Kind
    rules: int
    find_inputs: Callable[[], Mapping[str, Path]]
    build: Callable[[Mapping[str, Path], Progress, MapFunction], Corpus]


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
