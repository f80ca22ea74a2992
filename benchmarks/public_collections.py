"""Whole collections of other people's files as they are cloned: a line of Markdown a collection, what became of it.

Run it as `python -m benchmarks.public_collections FORM=FOLDER ...`, with FORM `midi`, `words` or `characters`, and
options of `prefect run ingest` behind commas: `midi=groove,drums,step=1/8`. It parses what that command would,
in this process and without a store. Seconds are those of the processor, on one core.
"""

import sys
import time
from pathlib import Path
from typing import Any

from infra.errors import CounterpointError
from infra.settings import IngestRequest
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.corpus.set_aside import by_reason
from tasks.ingest.requests import requested_recipes
from tasks.ingest.sources.unread import UNREAD

HEAD = "| collection | files | read | set aside | ignored | pieces train / valid / test | steps | seconds |"


def ingest(folder: str, options: dict[str, Any]) -> tuple[int, Corpus]:
    """How many files were read, and their corpus."""
    (recipe,), source = requested_recipes(IngestRequest(source=folder, names=("mine",), **options))
    inputs = recipe.read_inputs(source)
    return len(inputs) - (UNREAD in inputs), recipe.build(inputs, lambda done, total: None, map)


def row(asked: str) -> str:
    """One line for what is asked, `midi=FOLDER,OPTION,OPTION=VALUE`."""
    form, _, rest = asked.partition("=")
    folder, *given = rest.split(",")
    options = {name: value or True for name, _, value in (option.partition("=") for option in given)} | {"form": form}
    files = sum(path.is_file() for path in Path(folder).rglob("*"))
    before = time.process_time()
    cells = [" ".join([Path(folder).name, form, *given]), f"{files:,}"]
    try:
        read, corpus = ingest(folder, options)
    except CounterpointError as error:
        return f"| {' | '.join(cells)} | refused: {error} |"
    told = corpus.source
    aside = "; ".join(f"{len(group.names)}: {group.reason}" for group in by_reason(told)) or "0"
    pieces = " / ".join(f"{len(corpus.splits[split]):,}" for split in SPLITS)
    steps = f"{sum(corpus.steps(split) for split in SPLITS):,}"
    cells += [f"{read:,}", aside, f"{told['ignored']:,}", pieces, steps, f"{time.process_time() - before:.1f}"]
    return "\n".join([f"| {' | '.join(cells)} |", *(f"  {sentence}" for sentence in told["told"])])


if __name__ == "__main__":
    print(HEAD)
    for each in sys.argv[1:]:
        print(row(each), flush=True)
