"""README.md and docs/, taken apart: the fenced blocks, and what a comment above each says of its test.

    <!-- tested -->           every line is typed as it stands, in a folder that has the files it names; only smaller
    <!-- tested in PATH -->   that test does what the block says
    <!-- no command -->       a drawing or a list

Smaller: a word in capitals gets a value, a campaign is of the preset `smoke` with one trial, one seed and 40 epochs a
variant, on one worker, and where it would be about a corpus that comes with the installation it is about `songs`.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
CAMPAIGNS = ("plan", "reproduce", "report")
COMING_ALONG = ("bach-chorales", "folk-tunes-characters", "folk-tunes-words")
_BLOCK = re.compile(r"^(?:<!-- (?P<mark>.*) -->\n)?```(?P<language>\w*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_INLINE = re.compile(r"`(?:prefect run|counterpoint) ([a-z][^`]*)`")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        place: document and line.
        mark: what the comment above it says, empty where there is none.
        language: what stands behind the fence.
        text: its lines.
    """

    place: str
    mark: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a block for a shell, each without the words that explain it."""
        return [re.split(r"\s{2,}", line)[0] for line in self.text.splitlines() if line.strip()]


def blocks() -> Iterator[Block]:
    """Every fenced block of the documents."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            place = f"{document.relative_to(ROOT)}:{line}"
            yield Block(place, found["mark"] or "", found["language"], found["text"])


def blocks_to_run(language: str = "") -> list[Block]:
    """The blocks of a language that are to be run here; without one those of commands."""
    return [block for block in blocks() if (block.mark, block.language) == ("tested", language)]


def inline_commands() -> list[str]:
    """What stands behind `prefect run` within sentences and tables."""
    texts = [_BLOCK.sub("", document.read_text(encoding="utf-8")) for document in DOCUMENTS]
    return list(dict.fromkeys(" ".join(words.split()) for text in texts for words in _INLINE.findall(text)))


def smaller(command: str, values: Mapping[str, str], cluster: str) -> list[str]:
    """The words behind `prefect run` that are really typed.

    Args:
        command: as the document has it.
        values: what stands for a word in capitals, in brackets or not; nothing for `[VERSION]`.
        cluster: address of the worker.
    """
    for name, value in values.items():
        command = re.sub(rf"\[{name}( \.\.\.)?\]|\b{name}\b", value, command)
    words = [("songs" if word in COMING_ALONG else word) for word in shlex.split(command)]
    words = words[2:] if words[0] == "prefect" else words[1:]
    if words[0] == "ingest":
        return [*words, "--cluster", cluster]
    if words[0] not in CAMPAIGNS or "--from" in words:
        return words
    for name, value in {"--trials": "1", "--seeds": "1", "--epochs": "40", "--preset": "smoke"}.items():
        if name in words:
            words[words.index(name) + 1] = value
        else:
            words += [name, value]
    return [*words, "--cluster", cluster, *(() if "--corpora" in words else ("--corpora", "songs"))]
