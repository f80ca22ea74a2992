"""The tables of the page as plain text cells: what is written in them, not how they look.

Numbers come from `estimates.py` and from the trials; nothing is estimated here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tasks.report.numbers.estimates import Estimates
from tasks.report.numbers.formatting import (
    ENDS,
    NOTHING,
    count,
    duration,
    interval,
    number,
    plural,
    replicates_of,
    roughly,
    search_state,
    setting,
    signed,
    significant,
)
from tasks.report.numbers.metrics import METRICS, STEP_NAMES, Metric, symbols_text
from tasks.report.numbers.results import Results
from tasks.report.numbers.variant_titles import Variant, is_baseline, is_estimated, letter_order, short_labels
from tasks.report.numbers.verdicts import ENOUGH_STUDIES, difference_verdict, effect_verdict, told_interval


@dataclass(frozen=True)
class Cell:
    """A value, its interval, the verdict of the interval (`verdicts.Verdict`, or ""), and what it rests on."""

    value: str
    interval: str = ""
    verdict: str = ""
    basis: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One variant or baseline: a cell for the first metric, one for the difference, one for each further metric."""

    variant: str
    label: str
    baseline: bool
    plain: bool
    leading: bool
    cells: tuple[Cell, ...]
    seeds: str
    diverged: str
    untrained: str


@dataclass(frozen=True)
class Table:
    """A heading for each column and the rows below it; the first column names the row.

    Attributes:
        columns: the headings.
        rows: a text a column.
        variants: the variant that each row is about; none where rows are about something else.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    variants: tuple[str, ...] = ()


def score_columns(kind: str) -> tuple[str, ...]:
    """The headings of the columns that hold a `Cell`."""
    first, *others = METRICS[kind]
    return (first.heading, "better than plain SGD by", *(metric.heading for metric in others))


def score_rows(results: Results, estimates: Estimates, corpus: str) -> tuple[ScoreRow, ...]:
    """The rows of the main table of a corpus, best first, variants without a score and baselines last."""
    primary = estimates.primary(corpus)
    kind = primary["kind"].iloc[0]
    scores = estimates.scores[estimates.scores["corpus"] == corpus].set_index(["variant", "metric"])
    labels = short_labels(primary["variant"])
    trials = results.trials[results.trials["corpus"] == corpus]
    rows = []
    for row in primary.itertuples():
        first, *others = (_value_cell(scores.loc[(row.variant, m.name)], m) for m in METRICS[kind])
        baseline = is_baseline(row.variant)
        rows.append(
            ScoreRow(
                variant=row.variant,
                label=labels[row.variant],
                baseline=baseline,
                plain=not baseline and row.reference == "",
                leading=bool(row.tied_with_best) and row.studies_asked >= ENOUGH_STUDIES,
                cells=(first, _difference_cell(row, METRICS[kind][0]), *others),
                seeds=_seeds(row._asdict()),
                diverged="" if baseline else _ended(trials[trials["variant"] == row.variant], "diverged"),
                untrained="" if baseline else _ended(trials[trials["variant"] == row.variant], "untrained"),
            )
        )
    return tuple(rows)


def _seeds(row: Mapping[str, Any]) -> str:
    if is_baseline(row["variant"]):
        return ""
    return search_state(row) if row["held_back"] else f"{row['n_seeds']} / {row['seeds_asked']}"


def _value_cell(row: pd.Series, metric: Metric) -> Cell:
    low, high = (number(row[side], metric.decimals) for side in ("low", "high"))
    bounds = interval(row["low"], row["high"], metric.decimals) if low != high else ""
    return Cell(roughly(number(row["mean"], metric.decimals), row["estimated"]), bounds)


def _difference_cell(row: Any, metric: Metric) -> Cell:
    if pd.isna(row.difference):
        return Cell("")
    bounds = interval(row.diff_low, row.diff_high, metric.decimals)
    note = f" ({plural(row.diff_dropped, 'seed')} unpaired)" if row.diff_dropped else ""
    said = difference_verdict(row._asdict(), metric.decimals)
    return Cell(signed(row.difference, metric.decimals), bounds + note, said)


def change_cells(estimates: Estimates, corpus: str) -> dict[str, Cell]:
    """What each technique changes, by its letter; in words if no two variants with scores differ in it alone."""
    rows = estimates.primary(corpus)
    tried = {letter for name in rows["variant"] if not is_baseline(name) for letter in Variant.parse(name).techniques}
    metric = METRICS[rows["kind"].iloc[0]][0]
    cells = {}
    for row in estimates.primary_effects(corpus).itertuples():
        if row.n_pairs:
            said = effect_verdict(row._asdict(), metric.decimals)
            bounds = interval(*told_interval(row._asdict(), said, "", "sim_"), metric.decimals)
            basis = f"{plural(row.n_pairs, 'pair')}, {replicates_of(row._asdict())}"
            cells[row.technique] = Cell(signed(row.effect, metric.decimals), bounds, said, basis)
        elif row.pairs_asked:
            cells[row.technique] = Cell("no scores to compare")
        else:
            cells[row.technique] = Cell("no pair with and without it" if row.technique in tried else "not tried")
    return cells


def _ended(trials: pd.DataFrame, status: str) -> str:
    gone = trials[trials["status"] == status]
    return f"{(gone['purpose'] == 'search').sum()} + {(gone['purpose'] == 'final').sum()}"


# heading, column, how it is written; the hyper-parameters of the techniques stand between the two groups
_STUDY: tuple[str, str, Callable[[Any], str]] = ("study", "study", lambda number: count(number + 1))
_BEFORE: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("hidden units", "hidden_size", count),
    ("activation", "activation", str),
    ("learning rate", "learning_rate", significant),
)
_AFTER: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("parameters", "parameters", count),
    ("validation score", "valid", lambda value: number(value, 3)),
)


def chosen_table(results: Results, corpus: str) -> Table:
    """What the search chose for each variant: one row for each study, one column for each hyper-parameter."""
    trials = results.trials
    chosen = trials[(trials["corpus"] == corpus) & trials["selected"].astype(bool)]
    labels = short_labels(results.variants(corpus))
    drawn = _hyper_parameters(chosen["techniques"])
    before = (*([_STUDY] if results.studies > 1 else []), *_BEFORE)
    headings = [heading for heading, _, _ in before]
    headings += [f"{letter}: {name.replace('_', ' ')}" for letter, name in drawn]
    headings += [heading for heading, _, _ in _AFTER]
    rows, variants = [], []
    for variant in results.variants(corpus):
        mine = chosen[chosen["variant"] == variant].to_dict("records")
        variants += [variant] * max(1, len(mine))
        if not mine:
            rows.append((labels[variant], *[NOTHING] * len(headings)))
        for trial in mine:
            cells = [write(trial[column]) for _, column, write in before]
            cells += [setting(trial["techniques"].get(letter, {}).get(name)) for letter, name in drawn]
            cells += [write(trial[column]) for _, column, write in _AFTER]
            cells[-1] = roughly(cells[-1], is_estimated(variant))
            rows.append((labels[variant], *cells))
    return Table(("variant", *headings), tuple(rows), tuple(variants))


def _hyper_parameters(techniques: Iterable[Mapping[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Every (letter, name) that is in use: the letters in the order of the techniques, a technique's own order kept."""
    used = [(letter, name) for each in techniques for letter, values in each.items() for name in values]
    return sorted(dict.fromkeys(used), key=lambda pair: letter_order(pair[0]))


def budget_table(results: Results) -> Table:
    """What was run: trials by purpose and by how they ended, and the work that went into them."""
    columns = ("corpus", "variants", "search trials", "final trials", "completed", *ENDS.values())
    rows = []
    for corpus in results.corpora:
        trials = results.trials[results.trials["corpus"] == corpus]
        purposes, ends = trials["purpose"].value_counts(), trials["status"].value_counts()
        numbers = [len(results.variants(corpus)), purposes.get("search", 0), purposes.get("final", 0)]
        numbers += [ends.get(status, 0) for status in ("completed", *ENDS)]
        work = (count(np.nansum(trials["updates"].astype(float))), duration(np.nansum(trials["seconds"].astype(float))))
        rows.append((corpus, *map(count, numbers), *work))
    return Table((*columns, "updates", "training time"), tuple(rows))


def equal_budgets(estimates: Estimates, corpus: str) -> bool:
    """Whether the variants of a corpus that have a score were chosen among equally many search trials that ended."""
    rows = estimates.primary(corpus)
    compared = rows[rows["mean"].notna() & ~rows["variant"].map(is_baseline)]
    return bool(compared["search_ended"].nunique() <= 1)


def incomplete_searches(estimates: Estimates, corpus: str) -> list[str]:
    """A line for each variant of a corpus whose search has a trial that did not come to an end."""
    rows = estimates.primary(corpus)
    labels = short_labels(rows["variant"])
    lacking = rows[rows["search_ended"] < rows["search_asked"]].to_dict("records")
    return [f"{labels[row['variant']]} on {corpus}: {search_state(row)}" for row in lacking]


def corpora_table(results: Results) -> Table:
    """The size of every corpus, split by split, and what was set aside; its page tells the rest (`corpora.py`)."""
    rows = []
    for name, facts in results.corpora.items():
        sizes = []
        for split in ("train", "valid", "test"):
            steps, pieces = facts["steps"].get(split, 0), facts["pieces"].get(split, 0)
            sizes.append(f"{plural(pieces, 'piece')}, {plural(steps, STEP_NAMES[facts['kind']])}")
        vocabulary = symbols_text(facts["kind"], facts["vocabulary"])
        lost = count(len(facts.get("source", {}).get("quarantined", {})))
        rows.append((name, facts["kind"], *sizes, vocabulary, lost))
    return Table(("corpus", "kind", "train", "valid", "test", "vocabulary", "set aside"), tuple(rows))
