"""The part of the page on the corpora: their numbers, some of their pieces, and the files set aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tasks.corpus.corpus import SPLITS
from tasks.corpus.set_aside import SetAside, by_reason
from tasks.corpus.text import END_OF_LINE, NEWLINE
from tasks.report.charts.note_shares import share_chart
from tasks.report.charts.rolls import draw_roll, note_name, shown_range
from tasks.report.charts.theme import to_svg
from tasks.report.numbers.formatting import count, first_line, number, plural, share, visible
from tasks.report.numbers.metrics import STEP_NAMES, symbols_text
from tasks.report.numbers.portrait import FRAMES, Portrait, Sample
from tasks.report.numbers.results import Results
from tasks.report.pages.templates import facts, fill_template
from tasks.report.words.tables import Table

# Told in places of their own.
_ELSEWHERE = ("statistics", "quarantined", "inputs", "rules", "odd")
_TITLES = {"minor": "pieces found in minor", "music21": "music21 version", "unknown": "unknown symbol"}
_MOST_REASONS = 12
_LONGEST_SYMBOL = 40
_SHOWN = {NEWLINE: "↵", " ": "␣", "\t": "⇥"}


@dataclass(frozen=True)
class CorpusSection:
    """Everything that the page shows about one corpus."""

    anchor: str
    name: str
    kind: str
    step: str
    digest: str
    strip: tuple[tuple[str, str], ...]
    source: list[tuple[str, str]]
    statistics: Table
    rolls: tuple[tuple[str, str, Markup], ...]
    shares: Markup | None
    sample: tuple[str, str, bool] | None
    common: Table | None
    reasons: Table
    set_aside: tuple[SetAside, ...]
    alike: list[tuple[str, str]]


def render_corpora(results: Results) -> str:
    """The part as text."""
    sections = [
        _section(f"corpus-{i}-made", name, facts_of, results.portraits[name])
        for i, (name, facts_of) in enumerate(results.corpora.items(), start=1)
    ]
    return fill_template("corpora.html.jinja", sections=sections, shows_pieces=results.shows_pieces)


def _section(anchor: str, name: str, corpus: Mapping[str, Any], portrait: Portrait) -> CorpusSection:
    source = corpus.get("source", {})
    groups = by_reason(source)
    low, high = shown_range(portrait.rolls)
    rolls = tuple(
        (visible(roll.title), _of_length(roll.why, roll.frames), draw_roll(roll, low, high, f"Piano-roll: {roll.why}."))
        for roll in portrait.rolls
    )
    return CorpusSection(
        anchor=anchor,
        name=name,
        kind=corpus["kind"],
        step=STEP_NAMES[corpus["kind"]],
        digest=str(corpus["digest"]),
        strip=_strip(corpus, source, groups),
        source=_origin(source),
        statistics=statistics_table(corpus),
        rolls=rolls,
        shares=_shares(anchor, portrait),
        sample=_sample(corpus["kind"], portrait.sample) if portrait.sample else None,
        common=_common(corpus, portrait) if portrait.common else None,
        reasons=_reasons(groups),
        set_aside=groups,
        alike=facts({k: v for k, v in source.items() if "duplicates" in k}),
    )


def _strip(
    corpus: Mapping[str, Any], source: Mapping[str, Any], groups: tuple[SetAside, ...]
) -> tuple[tuple[str, str], ...]:
    """The facts on top. The number of set-aside items is no share of the inputs, since they may be parts of files."""
    return (
        ("Kind", str(corpus["kind"])),
        ("Symbols", symbols_text(corpus["kind"], corpus["vocabulary"])),
        ("Input files", count(source.get("inputs"))),
        ("Set aside", count(sum(len(group.names) for group in groups)) if groups else "nothing"),
        ("Version of the rules", str(source.get("rules", "–"))),
    )


def _origin(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The origin of a corpus, with every rule and setting that its source names."""
    told = {k: v for k, v in source.items() if k not in _ELSEWHERE and "duplicates" not in k}
    first = {"origin": told.pop("origin", ""), "how it was read": "; ".join(told.pop("told", ()))}
    return facts({_TITLES.get(k, k): v for k, v in (first | told).items()})


def _of_length(why: str, frames: int) -> str:
    whole = plural(frames, "frame")
    return f"{why}; {whole}" if frames <= FRAMES else f"{why}; the first {FRAMES} of {whole}"


def statistics_table(corpus: Mapping[str, Any]) -> Table:
    """A row for each number, a column for each split: first the counted numbers, then those of the corpus's source."""
    step = STEP_NAMES[corpus["kind"]]
    counted = [corpus["statistics"][split] for split in SPLITS]
    told = [corpus.get("source", {}).get("statistics", {}).get(split, {}) for split in SPLITS]
    rows = [
        ("pieces", *(count(of["pieces"]) for of in counted)),
        (f"{step}s", *(count(of["steps"]) for of in counted)),
        ("shortest piece", *(count(of["shortest"]) for of in counted)),
        ("median piece", *(f"{of['median']:,g}" for of in counted)),
        ("longest piece", *(count(of["longest"]) for of in counted)),
    ]
    if corpus["kind"] == "music":
        rows += [
            ("notes a frame, mean", *(number(of["polyphony"], 2) for of in counted)),
            ("notes a frame, at most", *(count(of["polyphony_max"]) for of in counted)),
            ("lowest note", *(_note(of["lowest"]) for of in counted)),
            ("highest note", *(_note(of["highest"]) for of in counted)),
            ("silent frames", *(share(of["silent_frames"], of["steps"]) for of in counted)),
        ]
    elif "symbols" in counted[0]:
        rows.append(("symbols in use", *(count(of["symbols"]) for of in counted)))
        if "unknown" in counted[0]:
            rows.append(("unknown, <unk>", *(share(of["unknown"], of["steps"]) for of in counted)))
    known = {name for of in counted for name in of} | {"frames"}
    for name in dict.fromkeys(name for of in told for name in of if name not in known):
        rows.append((visible(name.replace("_", " ")), *(_told(of.get(name)) for of in told)))
    return Table(("", *SPLITS), tuple(rows))


def _note(note: int | None) -> str:
    return "–" if note is None else note_name(note)


def _told(value: Any) -> str:
    return count(value) if value is None or isinstance(value, int) else visible(str(value))


def _shares(anchor: str, portrait: Portrait) -> Markup | None:
    if not any(portrait.shares):
        return None
    most = max(range(len(portrait.shares)), key=portrait.shares.__getitem__)
    often = f"{100 * portrait.shares[most]:.0f} % of the frames"
    description = f"How often each note is on; most often {note_name(most + 21)}, in {often}."
    return to_svg(share_chart(portrait.shares), f"{anchor}-shares", description)


def _sample(kind: str, sample: Sample) -> tuple[str, str, bool]:
    """The title, the text with visible line ends, and whether more follows."""
    shown = [_in_text(symbol) for symbol in sample.symbols]
    text = ("" if kind == "characters" else " ").join(shown).replace("\n ", "\n")
    return visible(sample.title), text, sample.more


def _in_text(symbol: str) -> str:
    if symbol == " ":
        return symbol
    return f"{_symbol(symbol)}\n" if symbol in (NEWLINE, END_OF_LINE) else _symbol(symbol)


def _symbol(symbol: str) -> str:
    return _SHOWN.get(symbol) or visible(first_line(symbol, _LONGEST_SYMBOL) if symbol.strip() else symbol)


def _common(corpus: Mapping[str, Any], portrait: Portrait) -> Table:
    steps = corpus["statistics"]["train"]["steps"]
    rows = tuple((_symbol(symbol), count(times), f"{100 * times / steps:.1f} %") for symbol, times in portrait.common)
    return Table(("symbol", "times", "share"), rows)


def _reasons(groups: tuple[SetAside, ...]) -> Table:
    rows = [(group.reason, count(len(group.names))) for group in groups]
    shown, others = rows[:_MOST_REASONS], groups[_MOST_REASONS:]
    if others:
        shown.append((plural(len(others), "other reason"), count(sum(len(group.names) for group in others))))
    return Table(("reason", "number"), tuple(shown))
