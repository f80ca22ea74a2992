"""Nothing in README.md and docs/ is typed by nobody: each block is run by a test, and each command can be asked for."""

import re

import pytest

from flows.cli import run_app
from flows.cli.options import Campaign
from tasks.campaign import resolve
from tests.documents import DOCUMENTS, ROOT, Block, blocks, inline_commands

# Techniques and a corpus that a reader makes first; tests/test_extending.py does.
READERS_OWN = {"SGD+E", "SGD+CE", "SGD+N", "SGD+MN", "melodies", "songs", "nottingham", "novels", "my.toml", "FILE"}
BENCHMARK = re.compile(r"python\s+-m\s+(benchmarks(?:\.[a-z_]+)+)(?!\.?\w)")
TYPED = re.compile(r"^(prefect|counterpoint|make|python|pip|pytest|dask) ", re.MULTILINE)


@pytest.mark.parametrize("block", list(blocks()), ids=lambda block: block.place)
def test_every_block_says_what_tests_it(block: Block) -> None:
    kind, _, path = block.mark.partition(" in ")
    assert block.mark in ("tested", "no command") or (kind == "tested" and (ROOT / path).is_file()), (
        f"{block.place}: a comment above it says what tests it, see tests/documents.py; it says {block.mark!r}"
    )
    if block.mark == "tested":
        assert block.language == "python" or all(each.startswith("prefect run ") for each in block.commands)
    if block.mark == "no command":
        assert not TYPED.search(block.text), f"{block.place}: it has a command"


@pytest.mark.parametrize("command", inline_commands())
def test_every_command_within_a_sentence_can_be_asked_for(command: str) -> None:
    words = command.replace("[", "").replace("]", "").split()
    if words[0] in run_app and (len(words) > 1 or words[0] not in ("pull", "sample")):
        _, bound, _ = run_app.parse_args(words, print_error=False, exit_on_error=False)
        campaign = bound.arguments.get("campaign", Campaign())
        if not READERS_OWN & set(words):
            resolve(campaign.request())


def test_every_benchmark_is_run_as_a_module_that_is_there() -> None:
    pages = [*DOCUMENTS, *(ROOT / "docs" / "results").glob("*.md"), *(ROOT / "benchmarks").rglob("*.py")]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    named = {name for text in texts.values() for name in BENCHMARK.findall(text)}
    assert len(named) > 30
    assert [name for name in sorted(named) if not (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()] == []
    assert [str(page) for page, text in texts.items() if re.search(r"python\s+benchmarks/", text)] == []
