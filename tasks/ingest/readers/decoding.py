r"""People's own bytes to text: which encoding they are in, and what was taken where that is not certain.

In this order:

    UTF-8, where it has more than ASCII
    the encoding that the user names, and no other then
    UTF-8
    UTF-8 but for a few bytes: a file that was cut within a character, or damaged; each becomes U+FFFD
    Windows-1252, where that gives text: accented letters in words, quotation marks, dashes

What is none of them is refused with the way on, for a guess would be learned as if it were the text. The official sets
and the tunes of the installation are read by `text.decode`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import CorpusError
from tasks.telling.wording import first_of, plural

REPLACED = "\ufffd"
FEW = 0.02
"""Of the characters of more than a byte, the part that may be broken in a text that is UTF-8 all the same."""
PLAUSIBLE = 0.9
"""Of the bytes over 127, the part that must be what Western texts have, for a text to be Windows-1252."""
_UTF_8, _WESTERN = "UTF-8", "Windows-1252"
# Punctuation of Western texts; and signs, which stand beside plain characters there, but in rows in other encodings.
_SIGN = re.compile("[…–—‘’“”„«»\u00a0\u00ad]|(?<![\u0080-\uffff])[€•™©®°§·¿¡£¢¥½¼¾²³¹×÷±´¨¸¬¶](?![\u0080-\uffff])")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Decoded:
    """A text, and how it was read.

    Attributes:
        text: with a newline at every line's end.
        encoding: in which its bytes were.
        broken: how many characters are replaced by U+FFFD.
        place: of the first byte that could not be read; None where all could.
    """

    text: str
    encoding: str
    broken: int = 0
    place: int | None = None


def decode_own(data: bytes, encoding: str | None = None) -> Decoded:
    r"""The text of people's own bytes.

    Args:
        data: the bytes of a file.
        encoding: in which they are, unless they are UTF-8; None where that is to be found.

    Raises:
        CorpusError: they are in no encoding that is tried, or more than a few characters of them cannot be read.

    >>> decode_own(b"\xe9t\xe9\r\n").text, decode_own("\u00e9t\u00e9".encode()[:-1]).text
    ('été\n', 'ét�')
    """
    place = _first_wrong(data, "utf-8-sig")
    # What is ASCII as bytes may be text in an encoding of escapes, and NUL bytes are UTF-16's.
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
    """Where the first byte is that cannot be read."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return min(error.start, len(data) - 1)
    return None


def _high(text: str) -> int:
    """How many characters are not ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _is_western(data: bytes) -> bool:
    """Whether Windows-1252 makes sense of the bytes: they stand in words with plain letters, or are signs."""
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
    """What a user should read of how the files were read, a sentence each; nothing where all are as they should be.

    Args:
        decoded: by file.
        encoding: the one that the user names.
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
