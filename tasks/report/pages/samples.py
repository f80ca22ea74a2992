"""The samples of the networks, as pictures and texts for the page, and as files beside it.

The page shows how the best variant of each corpus and plain SGD continue the same beginning, and how the piece itself
continues. It links the files of the other variants. A campaign that was stored before there were samples has none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from models.data_kinds import Kind
from tasks.corpus.piano_roll import find_runs
from tasks.corpus.text import END_OF_LINE, NEWLINE, readable
from tasks.report.charts.rolls import NARROW, draw_roll, shown_range
from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import first_line, plural, visible
from tasks.report.numbers.metrics import STEP_NAMES
from tasks.report.numbers.portrait import Roll
from tasks.report.numbers.results import Results, Sampled
from tasks.report.numbers.variant_titles import is_baseline, plain_of, short_labels
from tasks.report.pages.tunes import Tune
from tasks.trials.continuation import Continuation

ITSELF = "The piece itself"
"""The label of the continuation of a piece itself, next to those of the networks."""
_LONGEST_SYMBOL = 40
_DIGITS = 12


@dataclass(frozen=True)
class Shown:
    """A shown sample: a drawing, or a text in two parts.

    Attributes:
        label: of its variant.
        why: the reason why this variant is shown.
        given: length of the given beginning, `16 frames`.
        made: length of the network's continuation, `80 frames`.
        piece: title of the piece that the beginning is from.
        ended: said if the continuation is shorter than asked for.
        drawing: for music, a piano-roll.
        tune: for music, and for text in ABC notation, the notes to play.
        before, after: for text, the given beginning and the continuation.
        file: place of the file beside the page; "" for the piece itself.
        trial: the first digits of the trial's key; "" for the piece itself.
    """

    label: str
    why: str
    given: str
    made: str
    piece: str
    ended: str
    drawing: Markup | None
    tune: Tune | None
    before: str
    after: str
    file: str
    trial: str


@dataclass(frozen=True)
class Other:
    """A sample that is not shown: label of its variant, its file, and the notes to play, if any."""

    label: str
    file: str
    tune: Tune | None


@dataclass(frozen=True)
class SampleSection:
    """The samples of one corpus.

    Attributes:
        name, kind, step: of the corpus.
        shown: the best variant, plain SGD if it is another one, and the piece itself.
        others: the other variants.
    """

    name: str
    kind: Kind
    step: str
    shown: tuple[Shown, ...]
    others: tuple[Other, ...]


def _all(results: Results) -> list[tuple[str, str, Sampled]]:
    return [(corpus, *pair) for corpus in results.corpora for pair in results.samples.get(corpus, {}).items()]


def sample_files(results: Results) -> dict[str, bytes]:
    """The files that lie beside the page, by their names: MIDI of music, text of text."""
    return {file_name(results, corpus, variant): sampled.data for corpus, variant, sampled in _all(results)}


def sample_rows(results: Results) -> list[dict[str, Any]]:
    """The data of each sample, for programs."""
    return [
        {
            "corpus": corpus,
            "variant": variant,
            "key": sampled.continuation.key,
            "seed": sampled.continuation.seed,
            "piece": sampled.continuation.piece,
            "given": sampled.continuation.given,
            "made": len(sampled.continuation.steps) - sampled.continuation.given,
            "file": file_name(results, corpus, variant),
        }
        for corpus, variant, sampled in _all(results)
    ]


def file_name(results: Results, corpus: str, variant: str) -> str:
    """The name of a variant's file: letters that need no escape in an address, and a number that makes it unique."""
    number = list(results.corpora).index(corpus) + 1
    ending = results.samples[corpus][variant].continuation.file_name.rpartition(".")[2]
    return f"samples/{number}-{_plain(corpus)}/{_plain(variant)}.{ending}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_=]+", "-", name)


def sample_sections(results: Results, estimates: Estimates) -> list[SampleSection]:
    """A section for each corpus that has samples."""
    return [_section(results, estimates, corpus) for corpus in results.corpora if results.samples.get(corpus)]


def _section(results: Results, estimates: Estimates, corpus: str) -> SampleSection:
    samples = results.samples[corpus]
    ranked = [name for name in estimates.primary(corpus)["variant"] if not is_baseline(name) and name in samples]
    labels = short_labels(ranked)
    best = ranked[0]
    chosen = {best: "the best variant on test", plain_of(best): "plain SGD"}
    if best == plain_of(best):
        chosen = {best: "plain SGD, the best variant on test"}
    chosen = {name: why for name, why in chosen.items() if name in samples}
    made = {name: samples[name].continuation for name in chosen}
    pieces = _pieces([samples[name] for name in chosen])
    rolls = _rolls([*made.values(), *pieces])
    kind = made[best].kind
    shown = [
        _shown(each, labels[name], chosen[name], drawing, file_name(results, corpus, name))
        for (name, each), drawing in zip(made.items(), rolls, strict=False)
    ]
    shown += [_shown(each, ITSELF, "", drawing) for each, drawing in zip(pieces, rolls[len(made) :], strict=True)]
    return SampleSection(
        name=corpus,
        kind=kind,
        step=STEP_NAMES[kind],
        shown=tuple(shown),
        others=tuple(
            Other(labels[name], file_name(results, corpus, name), _tune(samples[name].continuation))
            for name in ranked
            if name not in chosen
        ),
    )


def _tune(made: Continuation) -> Tune | None:
    return Tune.of(made) or Tune.of_text(*_parts(made))


def _pieces(shown: Sequence[Sampled]) -> list[Continuation]:
    """The continuations of the pieces that samples began as, each once; none for a piece without a continuation."""
    pieces = {
        each.original: replace(each.continuation, steps=each.original)
        for each in shown
        if len(each.original) > each.continuation.given
    }
    return list(pieces.values())


def _shown(made: Continuation, label: str, why: str, drawing: Markup | None, file: str = "") -> Shown:
    step, count = STEP_NAMES[made.kind], len(made.steps) - made.given
    before, after = ("", "") if made.kind == "music" else _parts(made)
    early = f"then its state outgrew its numbers; {made.asked} were asked for" if file else "then it ends"
    return Shown(
        label=label,
        why=why,
        given=plural(made.given, step),
        made=plural(count, step),
        piece=visible(made.piece),
        ended="" if count == made.asked else early,
        drawing=drawing,
        tune=Tune.of(made) or Tune.of_text(before, after),
        before=before,
        after=after,
        file=file,
        trial=made.key[:_DIGITS] if file else "",
    )


def _rolls(continuations: Sequence[Continuation]) -> list[Markup | None]:
    """The drawings of music, all over the same range of notes; None for text."""
    rolls = [
        Roll(made.piece, "", len(made.steps), find_runs(made.piano_roll)) if made.kind == "music" else None
        for made in continuations
    ]
    low, high = shown_range([roll for roll in rolls if roll])
    said = "Piano-roll: {} frames given, then what the caption says."
    return [
        None if roll is None else draw_roll(roll, low, high, said.format(made.given), made.given, NARROW)
        for made, roll in zip(continuations, rolls, strict=True)
    ]


def _parts(made: Continuation) -> tuple[str, str]:
    """The given text and its continuation, without invisible characters."""
    symbols = [_seen(symbol) for symbol in made.steps]
    whole, before = readable(made.kind, symbols), readable(made.kind, symbols[: made.given])
    return before, whole.removeprefix(before)


def _seen(symbol: str) -> str:
    if symbol in (NEWLINE, END_OF_LINE, " "):
        return symbol
    return visible(first_line(symbol, _LONGEST_SYMBOL) if symbol.strip() else symbol)
