"""Corpora in the store: each is parsed once, then found again by the digest of its inputs.

    source digest = sha256 of (format, name, version of the rules, settings, name and sha256 of every input file)

    ingests/<source digest>/   record.json: the digest of the corpus that these inputs gave
                               corpus.json: its description, with titles and source
                               inputs.json: the sha256 of each input file
    data/<corpus digest>/      arrays.safetensors, corpus.json, inputs.json; the last two describe the first inputs
                               that gave this corpus
    corpora/<name>.json        the corpus and the ingest that the name points to (`names.py`)

Different files can give the same arrays. The arrays are then shared, while titles and source are those of the files
that were ingested under the name (`described_as`). The pieces of a split are stored as one concatenated array and an
array of lengths. `data` is committed before `ingests`, and `ingests` before the name, so that no entry refers to a
corpus that is missing. Looking a corpus up hashes its inputs but parses nothing. music21 is never imported.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from infra.errors import CorpusError, IntegrityError, NotFoundError
from infra.provenance import provenance
from infra.store import Store, read_json
from models.data_kinds import Kind
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest.building.recipe import HERE, BuildProgress, MapFunction, Recipe, Source
from tasks.ingest.names import Named, find_name, give_name
from tasks.telling.readable import is_digest, naming

_FORMAT, _INGEST_FORMAT = 1, 2


def ingest_corpus(
    store: Store,
    recipe: Recipe,
    source: Source = HERE,
    progress: BuildProgress | None = None,
    map_function: MapFunction = map,
) -> str:
    """Make sure that a corpus is in the store under its name; parse it if its inputs are new to the store.

    Args:
        store: where corpora are kept.
        recipe: of the corpus.
        source: where its files are.
        progress: called with (inputs done, inputs in all) while parsing; not called if nothing is parsed.
        map_function: like the builtin `map`; a parallel one parses on several workers.

    Returns:
        The corpus digest, 64 hexadecimal digits, for `load_corpus`.

    Raises:
        ConfigurationError: the source does not fit this corpus.
        CorpusError: the inputs are missing or unusable.
        StoreError: the store cannot be used.
    """
    inputs = recipe.read_inputs(source)
    sums = hash_inputs(inputs)
    source_key = source_digest(recipe, sums)
    key = ingest_prefix(source_key)
    digest = _recorded(store, key)
    if digest is None:
        corpus = recipe.build(inputs, progress or _silent, map_function)
        store_corpus(store, corpus, recipe, sums)
        # If another ingest committed first, its corpus is the one that everybody gets.
        record = {"corpus": corpus.digest, "name": recipe.name}
        description = _describe(corpus, recipe, sums)
        files = {"record.json": _json(record), "corpus.json": description, "inputs.json": _json(dict(sums))}
        store.commit(key, files, kind="ingest", provenance=provenance())
        digest = _recorded(store, key) or corpus.digest
    give_name(store, recipe.name, Named(digest, recipe.kind, recipe.rules, source_key))
    return digest


def _recorded(store: Store, key: str) -> str | None:
    """The corpus that these inputs gave; None if they are new, or if the corpus was deleted and is to be remade."""
    ingest = recorded(store, key)
    return ingest[0] if ingest is not None and store.committed(corpus_prefix(ingest[0])) else None


def recorded(store: Store, prefix: str) -> tuple[str, str] | None:
    """The digest and the name of the corpus that an ingest gave; None if there is no such ingest.

    Raises:
        IntegrityError: the ingest's record is damaged, or holds no digest.
    """
    stored = store.find(prefix, "record.json")
    if stored is None:
        return None
    with naming(f"{store.address}: {prefix}"):
        record = read_json(stored, prefix)
        if not is_digest(digest := str(record["corpus"])):
            raise ValueError(f"{digest!r} is no digest of a corpus")
        return digest, str(record.get("name", ""))


def corpus_prefix(digest: str) -> str:
    """The prefix under which a corpus is stored."""
    return f"data/{digest}"


def ingest_prefix(source_key: str) -> str:
    """The prefix under which the result of an ingest is stored."""
    return f"ingests/{source_key}"


def hash_inputs(inputs: Mapping[str, bytes]) -> dict[str, str]:
    """sha256 of every input file, by its name.

    Raises:
        CorpusError: there are no input files.
    """
    if not inputs:
        raise CorpusError("no input files: the source is empty")
    return {name: hashlib.sha256(data).hexdigest() for name, data in inputs.items()}


def source_digest(recipe: Recipe, sums: Mapping[str, str]) -> str:
    """sha256, 64 hexadecimal digits, of everything that determines the corpus."""
    determinants = [_INGEST_FORMAT, recipe.name, recipe.rules, dict(recipe.settings), dict(sums)]
    return hashlib.sha256(_json(determinants)).hexdigest()


def store_corpus(store: Store, corpus: Corpus, recipe: Recipe, sums: Mapping[str, str]) -> None:
    """Commit a corpus under `data/<corpus digest>`, unless it is there already."""
    files = {
        "arrays.safetensors": save(_arrays(corpus)),
        "corpus.json": _describe(corpus, recipe, sums),
        "inputs.json": _json(dict(sums)),
    }
    store.commit(corpus_prefix(corpus.digest), files, kind="corpus", provenance=provenance())


def _describe(corpus: Corpus, recipe: Recipe, sums: Mapping[str, str]) -> bytes:
    """Everything about a corpus except its arrays, as JSON."""
    source = {**corpus.source, **recipe.settings, "rules": recipe.rules, "inputs": len(sums)}
    if recipe.embedded:
        source["music21"] = _music21()
    description = {
        "format": _FORMAT,
        "digest": corpus.digest,
        "name": corpus.name,
        "kind": corpus.kind,
        "titles": {split: list(corpus.titles[split]) for split in SPLITS},
        "vocabulary": list(corpus.vocabulary),
        "source": {**source, "source_digest": source_digest(recipe, sums)},
    }
    if corpus.quarters is not None:
        description["quarters"] = corpus.quarters
    return _json(description)


def load_corpus(store: Store, digest: str) -> Corpus:
    """A corpus from the store, with name, titles and source of the first files that gave its arrays.

    Raises:
        NotFoundError: the store has no such corpus.
        IntegrityError: the stored arrays do not have that digest, or the entry is damaged.
    """
    prefix = corpus_prefix(digest)
    try:
        description: dict[str, Any] = read_json(store.read(prefix, "corpus.json"), prefix)
        arrays = load(store.read(prefix, "arrays.safetensors"))
        corpus = Corpus(
            name=description["name"],
            kind=description["kind"],
            splits={split: _pieces(arrays, split) for split in SPLITS},
            titles={split: tuple(description["titles"][split]) for split in SPLITS},
            vocabulary=tuple(description["vocabulary"]),
            source=description["source"],
            quarters=description.get("quarters"),
        )
    except (ValueError, TypeError, KeyError, SafetensorError, CorpusError) as error:
        raise IntegrityError(f"{store.address}: {prefix} is not a corpus; delete it and run again") from error
    if corpus.digest != digest:
        raise IntegrityError(f"{store.address}: {prefix} holds another corpus; delete it and run again")
    return corpus


def load_kind(store: Store, digest: str) -> Kind:
    """The kind of a stored corpus, read without its arrays; raises the errors of `load_corpus`."""
    prefix = corpus_prefix(digest)
    with naming(f"{store.address}: {prefix}"):
        return cast(Kind, read_json(store.read(prefix, "corpus.json"), prefix)["kind"])


def first_name(store: Store, digest: str) -> str | None:
    """The name under which a corpus was first ingested; None if the corpus is not in the store.

    Raises:
        IntegrityError: the stored description is damaged.
    """
    prefix = corpus_prefix(digest)
    stored = store.find(prefix, "corpus.json")
    if stored is None:
        return None
    with naming(f"{store.address}: {prefix}"):
        return str(read_json(stored, prefix)["name"])


def described_as(store: Store, name: str, corpus: Corpus) -> Corpus:
    """The corpus with name, titles and source of the files that were ingested under a name.

    Two cases keep the titles and the source of the first files: stores older than this record, and a name that points
    to another corpus by now.

    Args:
        store: where the corpus is.
        name: of the corpus.
        corpus: as `load_corpus` returns it.

    Raises:
        NotFoundError: the description of that ingest was deleted.
        IntegrityError: the stored description does not belong to this corpus.
    """
    named = find_name(store, name)
    if named is None or named.source is None or named.digest != corpus.digest:
        return replace(corpus, name=name)
    prefix = ingest_prefix(named.source)
    stored = store.find(prefix, "corpus.json")
    if stored is None:
        raise NotFoundError(f"{store.address}: {prefix}, which tells of {name!r}, was deleted; ingest it again")
    try:
        description = read_json(stored, prefix)
        titles = {split: tuple(description["titles"][split]) for split in SPLITS}
        return replace(corpus, name=name, titles=titles, source=description["source"])
    except (ValueError, TypeError, KeyError, CorpusError) as error:
        raise IntegrityError(f"{store.address}: {prefix} does not tell of {name!r}; delete it, ingest again") from error


def _arrays(corpus: Corpus) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        pieces = corpus.splits[split]
        arrays[f"{split}.steps"] = np.concatenate(pieces)
        arrays[f"{split}.lengths"] = np.array([len(piece) for piece in pieces], np.int64)
    return arrays


def _pieces(arrays: Mapping[str, np.ndarray], split: str) -> tuple[np.ndarray, ...]:
    ends = np.cumsum(arrays[f"{split}.lengths"])
    # np.split returns one array more: the rest after the last piece. It is empty, or the digest will not match.
    return tuple(np.split(arrays[f"{split}.steps"], ends)[:-1])


def _music21() -> str:
    try:
        return version("music21")
    except PackageNotFoundError:
        return "not installed"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _silent(done: int, total: int) -> None:
    """Report no progress."""
