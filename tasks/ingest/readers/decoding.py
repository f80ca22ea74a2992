r"""Decode a user's own text files: detect the encoding, and report it if it is not certain.

The first that fits is taken:

    UTF-8, if the bytes are valid and not pure ASCII
    the encoding that the user names; nothing else is then tried
    UTF-8
    UTF-8 with a few bad bytes, in a damaged file or one cut within a character; each becomes U+FFFD
    Windows-1252, if the result looks like text: accented letters in words, quotation marks, dashes

All other bytes are refused, since a network would learn from a wrong guess as if it were the text. The official sets
and the tunes of the installation are decoded by `text.decode`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import CorpusError
from tasks.telling.wording import first_of, plural

REPLACED = "\ufffd"
FEW = 0.02
"""Largest share of the non-ASCII characters that may be broken in a text that still counts as UTF-8."""
PLAUSIBLE = 0.9
"""Smallest share of the bytes over 127 that must be plausible in Western text for it to count as Windows-1252."""
_UTF_8, _WESTERN = "UTF-8", "Windows-1252"
# Western punctuation; and signs that stand alone in Western text, but in rows if the bytes are of another encoding.
_SIGN = re.compile("[…–—‘’“”„«»\u00a0\u00ad]|(?<![\u0080-\uffff])[€•™©®°§·¿¡£¢¥½¼¾²³¹×÷±´¨¸¬¶](?![\u0080-\uffff])")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Decoded:
    """A text, and how it was decoded.

    Attributes:
        text: with a newline at every line's end.
        encoding: that its bytes were in.
        broken: number of characters replaced by U+FFFD.
        place: position of the first byte that is not valid UTF-8, or not valid in the named encoding; None without one.
    """

    text: str
    encoding: str
    broken: int = 0
    place: int | None = None


def decode_own(data: bytes, encoding: str | None = None) -> Decoded:
    r"""The text of a user's own file.

    Args:
        data: the bytes of the file.
        encoding: that the user names; UTF-8 with more than ASCII goes before it. None to detect the encoding.

    Raises:
        CorpusError: no encoding fits, or more than a few characters are broken.

    >>> decode_own(b"\xe9t\xe9\r\n").text, decode_own("\u00e9t\u00e9".encode()[:-1]).text
    ('été\n', 'ét�')
    """
    place = _first_wrong(data, "utf-8-sig")
    # ASCII bytes may be text in an encoding with escape sequences; NUL bytes may be UTF-16.
    if encoding is not None and (place is not None or data.isascii() or b"\0" in data):
        return _named(data, encoding)
    if place is None:
        return Decoded(_lines(data.decode("utf-8-sig")), _UTF_8)
    damaged = data.decode("utf-8-sig", "replace")
    broken = damaged.count(REPLACED)
    if broken <= max(1, FEW * _high(damaged)) and _high(damaged) > broken:
        return Decoded(_lines(damaged), _UTF_8, broken, place)
    if _is_western(data):
        return Decoded(_lines(data.decode("cp1252")), _WESTERN, place=place)
    if _high(damaged) > 2 * broken:
        raise CorpusError(
            f"UTF-8 but for {plural(broken, 'character')}, the first at byte {place:,}: too many to be replaced;"
            " mend them, or name another encoding by --encoding"
        )
    raise CorpusError(f"neither UTF-8 nor {_WESTERN}; name its encoding, as --encoding shift_jis")


def _named(data: bytes, encoding: str) -> Decoded:
    place = _first_wrong(data, encoding)
    if place is None:
        return Decoded(_lines(data.decode(encoding).removeprefix("\ufeff")), encoding)
    damaged = data.decode(encoding, "replace")
    broken = damaged.count(REPLACED)
    if broken > max(1, FEW * _high(damaged)):
        raise CorpusError(
            f"not {encoding}: byte {place:,} is {data[place]:#04x}, and {broken:,} such; name another --encoding"
        )
    return Decoded(_lines(damaged), encoding, broken, place)


def _first_wrong(data: bytes, encoding: str) -> int | None:
    """The position of the first byte that cannot be decoded; None if all can."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return min(error.start, len(data) - 1)
    return None


def _high(text: str) -> int:
    """The number of characters that are not ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _is_western(data: bytes) -> bool:
    """Whether the bytes are plausible Windows-1252: non-ASCII characters are signs, or in words with ASCII letters."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return False
    high = _high(text)
    signs = len(_SIGN.findall(text))
    letters = 0
    for word in _WORD.findall(text):
        if "ƒ" not in word and (len(word) == 1 or not word.isascii() and re.search("[A-Za-z]", word)):
            letters += _high(word)
    return signs + letters >= PLAUSIBLE * high


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def told_of_encodings(decoded: Mapping[str, Decoded], encoding: str | None = None) -> list[str]:
    """Sentences for the user about how the files were decoded; none if all were certain.

    Args:
        decoded: the text of each file, by name.
        encoding: that the user names, or None.
    """
    told = []
    other = [file for file, each in decoded.items() if each.encoding == _UTF_8]
    if other and encoding is not None and not encoding.startswith("utf-8"):
        told.append(f"{first_of(other)} read as UTF-8, and not as {encoding}, for UTF-8 it is")
    western = [file for file, each in decoded.items() if each.encoding == _WESTERN]
    if western:
        told.append(f"{first_of(western)} read as {_WESTERN}, not UTF-8; where words look wrong, name its --encoding")
    broken = [file for file, each in decoded.items() if each.broken]
    if broken:
        first = decoded[broken[0]]
        count = sum(decoded[file].broken for file in broken)
        told.append(
            f"{first_of(broken)} read as {first.encoding} but for {plural(count, 'character')}, replaced by U+FFFD,"
            f" the first at byte {first.place:,}"
        )
    return told
