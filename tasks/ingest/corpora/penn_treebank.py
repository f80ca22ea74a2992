"""penn-treebank-words, penn-treebank-characters: the Penn Treebank as Mikolov prepared it for language models.

`building/penn_treebank.py` has the rules, and docs/sources.md the licence. Users give their own copy of the files, by
--from or COUNTERPOINT_DATA.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from infra.settings import data_folder
from tasks.corpus.corpus import Corpus
from tasks.ingest.building.penn_treebank import FILE_BYTES, TextKind, build_penn_treebank, is_penn_treebank_file
from tasks.ingest.building.recipe import HERE, BuildProgress, MapFunction, Recipe, Source, no_manifest
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.archives import read_source, unpack
from tasks.ingest.sources.fetch import is_folder
from tasks.ingest.sources.known import fetch_known, find_source

_RULES = 1
ARCHIVE = "simple-examples.tgz"


def read_inputs(source: Source = HERE) -> Mapping[str, bytes]:
    """The text files of the source, or of COUNTERPOINT_DATA if no source is given.

    Raises:
        CorpusError: neither is given (the licence forbids fetching the text), or the files cannot be read.
    """
    no_manifest("penn-treebank", source)
    address = source.address or data_folder()
    if address is None:
        name, data = fetch_known(find_source("penn-treebank"), progress=source.progress)
        return unpack(name, data, FILE_BYTES, is_penn_treebank_file).whole(name)
    if is_folder(address) and (packed := Path(parse_source(address).location) / ARCHIVE).is_file():
        address = str(packed)
    files = read_source(address, largest=FILE_BYTES, wanted=is_penn_treebank_file, progress=source.progress)
    return files.whole(address)


def _build(kind: TextKind, inputs: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction) -> Corpus:
    corpus = build_penn_treebank(f"penn-treebank-{kind}", kind, inputs)
    progress(len(inputs), len(inputs))
    return corpus


PENN_TREEBANK_WORDS = Recipe("penn-treebank-words", "words", _RULES, read_inputs, partial(_build, "words"))
PENN_TREEBANK_CHARACTERS = Recipe(
    "penn-treebank-characters", "characters", _RULES, read_inputs, partial(_build, "characters")
)
