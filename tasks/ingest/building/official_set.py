"""Find the files of an official music set: MIDI with its manifest, MIDI alone, or piano-rolls.

A user may give a folder with the published files, one of these files, or the folder that the MIDI archive unpacks to.
In a folder the MIDI archive is preferred to the piano-rolls, since it has the names of the pieces. A `manifest.csv`
beside it gives splits, order and transpositions.

Specification, section 4: with the manifest, the rolls made from MIDI equal the official ones in every frame. Without
it, the transpositions follow from estimated keys, and the splits from the folders.

What this does not do: read MIDI (`midi_files.py`) or piano-rolls (`official_rolls.py`).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from infra.errors import CorpusError
from infra.settings import data_folder
from tasks.corpus.corpus import Corpus
from tasks.ingest.building.midi_files import build_midi_corpus, is_midi
from tasks.ingest.building.midi_piece import Rules
from tasks.ingest.building.official_rolls import build_rolls_corpus
from tasks.ingest.building.recipe import HERE, BuildProgress, MapFunction, Recipe, Source, no_manifest
from tasks.ingest.readers.manifest import read_manifest
from tasks.ingest.sources.address import parse_source
from tasks.ingest.sources.archives import read_source, unpack
from tasks.ingest.sources.fetch import fetch, is_folder
from tasks.ingest.sources.known import fetch_known, find_source
from tasks.ingest.sources.unread import Files

MANIFEST = "manifest.csv"
_RULES = 1
_ROLL_ENDINGS = (".pickle", ".pkl", ".mat")
_SUBFOLDERS = ("", "music-midi", "music-rolls")


@dataclass(frozen=True)
class Published:
    """The form in which an official set was published.

    Attributes:
        name: of the corpus.
        dataset: the manifest's name for the set.
        archive: file name of the archive of MIDI files.
        rolls: file names of the piano-rolls, the preferred one first.
        step: ticks in a frame; None for an eighth note.
        keep_first: whether cell 0 is kept as a frame.
    """

    name: str
    dataset: str
    archive: str
    rolls: tuple[str, ...]
    step: int | None = None
    keep_first: bool = False


def official_recipe(published: Published) -> Recipe:
    """The recipe of an official set."""
    return Recipe(
        published.name, "music", _RULES, partial(read_official, published), partial(build_official, published)
    )


def build_official(
    published: Published, inputs: Mapping[str, bytes], progress: BuildProgress, map_function: MapFunction
) -> Corpus:
    """The corpus of the files that `read_official` found.

    Raises:
        CorpusError: the files cannot be used, or the manifest does not name the set.
    """
    if any(is_rolls(name) for name in inputs):
        corpus = build_rolls_corpus(published.name, inputs)
        progress(1, 1)
        return corpus
    files = {name: data for name, data in inputs.items() if name != MANIFEST}
    rows = None
    if MANIFEST in inputs:
        rows = [row for row in read_manifest(inputs[MANIFEST]) if row.dataset == published.dataset]
        if not rows:
            raise CorpusError(f"{published.name}: the manifest has no row of {published.dataset!r}; give another one")
    rules = Rules(ticks=published.step, keep_first=published.keep_first)
    return build_midi_corpus(published.name, files, rows, rules, progress, map_function)


def read_official(published: Published, source: Source = HERE) -> dict[str, bytes]:
    """The files of the set, with the manifest, if there is one, under the name `manifest.csv`.

    In COUNTERPOINT_DATA only files and folders with the set's own names are taken. A folder that the source names may
    be the unpacked archive itself.

    Raises:
        ConfigurationError: a manifest is given for piano-rolls.
        CorpusError: the source cannot be read; or no source is given, and no known address provides the set.
    """
    folder = source.address or data_folder()
    address = (None if folder is None else _in_folder(published, folder)) or source.address
    if address is None:
        name, data = _published(published, source)
    elif is_folder(address):
        files = read_source(address, wanted=is_midi)
        return _with_manifest(files, source.manifest or _beside(address))
    else:
        name, data = parse_source(address).name, fetch(address, progress=source.progress)
    if is_rolls(name):
        no_manifest(published.name, source)
        return {name: data}
    return _with_manifest(unpack(name, data, wanted=is_midi), source.manifest or (address and _beside(address)))


def _with_manifest(files: Files, manifest: str | None) -> dict[str, bytes]:
    inputs = files.as_inputs()
    if manifest is not None:
        inputs[MANIFEST] = fetch(manifest)
    return dict(sorted(inputs.items()))


def is_rolls(name: str) -> bool:
    """Whether a file holds piano-rolls, judged by its ending."""
    return name.lower().endswith(_ROLL_ENDINGS)


def _published(published: Published, source: Source) -> tuple[str, bytes]:
    """The set from its known addresses: the rolls, which need no manifest to be exact; MIDI if a manifest is given."""
    forms = ("midi",) if source.manifest is not None else ("rolls", "midi")
    for form in forms[:-1]:
        with suppress(CorpusError):
            return _fetched(f"{published.name}-{form}", source)
    return _fetched(f"{published.name}-{forms[-1]}", source)


def _fetched(known: str, source: Source) -> tuple[str, bytes]:
    address, data = fetch_known(find_source(known), progress=source.progress)
    return parse_source(address).name, data


def _in_folder(published: Published, address: str) -> str | None:
    """The path of the set in a local folder, by name: a published file or the unpacked archive; None without either."""
    if not is_folder(address):
        return None
    folder = Path(parse_source(address).location)
    names = (published.archive, *published.rolls, published.dataset)
    places = (folder / sub / name for name in names for sub in _SUBFOLDERS)
    return next((str(place) for place in places if place.is_file() or (place.is_dir() and place != folder)), None)


def _beside(address: str) -> str | None:
    location = parse_source(address)
    if location.protocol != "file":
        return None
    path = Path(location.location)
    candidates = (path / MANIFEST, path.parent / MANIFEST)
    return next((str(candidate) for candidate in candidates if candidate.is_file()), None)
