"""The answer of `ingest`: the sizes of the corpora, and the files that were set aside, with reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from rich.table import Table

from infra.machine.answer import Answer
from infra.store import Store
from tasks.corpus.corpus import SPLITS
from tasks.corpus.set_aside import SetAside, by_reason
from tasks.ingest import described_as, load_corpus
from tasks.publishing.terminal import bare_table, rendered
from tasks.report.numbers.formatting import count, first_line
from tasks.report.numbers.metrics import symbols_text
from tasks.telling.blocks import paragraphs, shown

_FIRST_REASONS, _LONGEST_REASON = 3, 100


@dataclass(frozen=True)
class IngestedCorpus:
    """One corpus.

    Attributes:
        name, kind, digest: of the corpus.
        pieces, steps: numbers of pieces and of steps, by split.
        vocabulary: number of symbols; 0 for a corpus without a vocabulary.
        set_aside: the files, or parts of files, that could not be used, by reason.
        told: sentences on how the files were read.
    """

    name: str
    kind: str
    digest: str
    pieces: Mapping[str, int]
    steps: Mapping[str, int]
    vocabulary: int
    set_aside: tuple[SetAside, ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class Ingested(Answer):
    """The corpora that a command asked for."""

    schema: ClassVar[str] = "ingest"
    corpora: Sequence[IngestedCorpus]

    def __str__(self) -> str:
        layouts = (_table(self.corpora, apart, digested) for apart, digested in _LAYOUTS)
        lost = [line for corpus in self.corpora for line in _lines(corpus)]
        return f"{rendered(layouts)}{shown([paragraphs(lost)])}".rstrip("\n")

    def to_json(self) -> dict[str, Any]:
        """A row for each corpus."""
        rows = [asdict(corpus) for corpus in self.corpora]
        return {"corpora": [row | {"told": list(row["told"]), "set_aside": _groups(row)} for row in rows]}


_LAYOUTS = ((" / ", True), ("\n", True), ("\n", False))
"""Layouts, the widest first: the separator between the sizes of the splits, and whether the digest is shown."""


def ingested(store: Store, digests: Mapping[str, str]) -> Ingested:
    """The answer for some stored corpora.

    Args:
        store: that has the corpora.
        digests: of each corpus, by name.

    Raises:
        StoreError: a corpus is missing or damaged.
    """
    return Ingested([_corpus(store, name, digest) for name, digest in digests.items()])


def _corpus(store: Store, name: str, digest: str) -> IngestedCorpus:
    corpus = described_as(store, name, load_corpus(store, digest))
    return IngestedCorpus(
        name=name,
        kind=corpus.kind,
        digest=corpus.digest,
        pieces={split: len(corpus.splits[split]) for split in SPLITS},
        steps={split: corpus.steps(split) for split in SPLITS},
        vocabulary=len(corpus.vocabulary),
        set_aside=by_reason(corpus.source),
        told=tuple(corpus.source.get("told", ())),
    )


def _groups(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"reason": group["reason"], "names": list(group["names"])} for group in row["set_aside"]]


def _table(corpora: Sequence[IngestedCorpus], apart: str, digested: bool) -> Table:
    """The table of the corpora, with the sizes of the splits side by side or stacked, with or without the digest."""
    sizes = "train/valid/test" if apart == " / " else "train\nvalid\ntest"
    titles = ["corpus", "kind", f"pieces\n{sizes}", f"steps\n{sizes}", "symbols", "set\naside"]
    table = bare_table(*titles, *["digest"] * digested, right=4 + digested)
    table.collapse_padding = True
    table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"  # a user's corpus may have a long name
    for corpus in corpora:
        numbers = (apart.join(map(count, each.values())) for each in (corpus.pieces, corpus.steps))
        aside = count(sum(len(group.names) for group in corpus.set_aside))
        cells = (corpus.name, corpus.kind, *numbers, symbols_text(corpus.kind, corpus.vocabulary), aside)
        table.add_row(*cells, *[corpus.digest[:12]] * digested)
    return table


def _lines(corpus: IngestedCorpus) -> list[str]:
    """Sentences on the files that were set aside, and on how the others were read."""
    groups = corpus.set_aside
    reasons = [f"{_first_of(group)}: {first_line(group.reason, _LONGEST_REASON)}" for group in groups[:_FIRST_REASONS]]
    more = sum(len(group.names) for group in groups[_FIRST_REASONS:])
    lost = f"{corpus.name}, set aside: {'; '.join(reasons)}{f'; and {more:,} more' if more else ''}"
    return [*([lost] if groups else []), *(f"{corpus.name}: {sentence}" for sentence in corpus.told)]


def _first_of(group: SetAside) -> str:
    first, *others = group.names
    return f"{first} and {len(others):,} more" if others else first
