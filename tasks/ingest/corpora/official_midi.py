"""The four official sets, from their MIDI files and the manifest.

Published as archives by N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, "Modeling Temporal Dependencies in
High-Dimensional Sequences", ICML 2012 (arXiv:1206.6392). With the rules of `midi.py` and `midi_roll.py` every frame
is that of the official piano-rolls. JSB Chorales has a step of 120 ticks, although its files say that a quarter note
has 100, and keeps cell 0. Specification, section 4.

The files belong to others and are not part of this repository: a user brings them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.errors import ConfigurationError, CorpusError
from tasks.corpus import Corpus
from tasks.ingest.manifest import ManifestRow
from tasks.ingest.midi_corpus import build_midi_corpus
from tasks.ingest.recipe import MapFunction, Progress


@dataclass(frozen=True)
class OfficialMidi:
    """One set.

    Attributes:
        name: of the corpus.
        dataset: as the manifest spells it.
        archive: the name of its file, as published.
        step: ticks of a frame, None for an eighth note.
        keep_first: whether cell 0 is kept.
    """

    name: str
    dataset: str
    archive: str
    step: int | None = None
    keep_first: bool = False


OFFICIAL_MIDI: tuple[OfficialMidi, ...] = (
    OfficialMidi("jsb-chorales", "JSB Chorales", "JSB Chorales.zip", step=120, keep_first=True),
    OfficialMidi("musedata", "MuseData", "MuseData.zip"),
    OfficialMidi("nottingham", "Nottingham", "Nottingham.zip"),
    OfficialMidi("piano-midi.de", "Piano-midi.de", "Piano-midi.de.zip"),
)


def find_official(name: str) -> OfficialMidi:
    """The set of that name.

    Raises:
        ConfigurationError: there is none.

    >>> find_official("nottingham").archive
    'Nottingham.zip'
    """
    for official in OFFICIAL_MIDI:
        if official.name == name:
            return official
    known = ", ".join(official.name for official in OFFICIAL_MIDI)
    raise ConfigurationError(f"unknown official set {name!r}: choose one of {known}")


def build_official(
    name: str,
    files: Mapping[str, bytes],
    manifest: Sequence[ManifestRow],
    progress: Progress,
    map_function: MapFunction,
) -> Corpus:
    """The corpus of an official set.

    Args:
        name: of the set, one of `OFFICIAL_MIDI`.
        files: the members of its archive, by name with folders.
        manifest: rows, of this set and maybe of others.
        progress: called with (files done, files in all).
        map_function: like the builtin `map`.

    Raises:
        ConfigurationError: there is no such set.
        CorpusError: the manifest has nothing of it, or see `build_midi_corpus`.
    """
    official = find_official(name)
    rows = [row for row in manifest if row.dataset == official.dataset]
    if not rows:
        raise CorpusError(f"{name}: the manifest has no row of the dataset {official.dataset!r}; give the official one")
    return build_midi_corpus(name, files, rows, official.step, progress, map_function, official.keep_first)
