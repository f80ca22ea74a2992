"""Which files of a folder count as text: all except those whose ending belongs to another format.

Text files have many endings, or none: `.txt`, `.md`, `.tokens`, `.raw`. The user therefore gets a count of the files by
ending, and can spot a licence or a table among books. A file that turns out not to be text is set aside
(`plain_text.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from infra.errors import CorpusError
from tasks.ingest.sources.unread import by_ending, ending, told_of_ignored

_PICTURES = ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .ico .svg .psd .eps .ps .heic"
_SOUND = ".mp3 .wav .flac .ogg .m4a .aac .aif .aiff .wma .mid .midi .rmi .kar .mp4 .avi .mov .mkv .webm"
_ARCHIVES = ".zip .tar .tgz .gz .bz2 .xz .7z .rar .zst .jar .whl .iso .dmg"
_DOCUMENTS = ".pdf .djvu .doc .rtf .xls .ppt .mobi .azw3 .mscx .musicxml"
_PACKED = ".epub .docx .odt .xlsx .ods .pptx .mxl .mscz .pages"
_PROGRAMS = ".exe .dll .so .dylib .o .a .class .pyc .ttf .otf .woff .woff2 .db .sqlite"
_NUMBERS = ".npy .npz .pt .pth .pkl .pickle .h5 .hdf5 .parquet .feather .arrow .safetensors .bin .mat"
_NO_TEXT = frozenset(" ".join((_PICTURES, _SOUND, _ARCHIVES, _DOCUMENTS, _PACKED, _PROGRAMS, _NUMBERS)).split())
_PACKED_DOCUMENTS = frozenset(_PACKED.split())


def is_text(name: str) -> bool:
    """Whether a file may be text, judged by its ending.

    >>> is_text("a/book.TXT"), is_text("wiki.train.tokens"), is_text("cover.JPG"), is_text("LICENSE")
    (True, True, False, True)
    """
    return ending(name) not in _NO_TEXT


def check_packed_document(name: str) -> None:
    """Refuse a document that is a packed archive, such as .epub or .docx: its markup would be read as text.

    Raises:
        CorpusError: the name has the ending of such a document.
    """
    if ending(name) in _PACKED_DOCUMENTS:
        raise CorpusError(f"{name}: a document of the kind {ending(name)}, no plain text; save its text as .txt")


def told_of_files(read: Iterable[str], ignored: Mapping[str, int]) -> list[str]:
    """Sentences for the user about the files that were taken for text.

    >>> told_of_files(["a.txt", "b.txt"], {}), told_of_files(["a.txt", "README.md"], {})
    ([], ['read as text: 1 .md, 1 .txt; take out what is no part of it'])
    """
    endings = Counter(map(ending, read))
    told = [f"read as text: {by_ending(endings)}; take out what is no part of it"] if len(endings) > 1 else []
    return [*told, *told_of_ignored(ignored, "what may be text by its ending")]
