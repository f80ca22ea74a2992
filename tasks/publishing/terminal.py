"""The plan and the scores as text tables, for a terminal or a log.

The numbers come from the plan and from `results.json`, in the format of the page; nothing is computed here.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from textwrap import fill
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from infra.cluster.progress import clock_text
from tasks.campaign import Campaign
from tasks.report.numbers.formatting import count, interval, number, roughly, signed
from tasks.report.numbers.metrics import BY_NAME
from tasks.report.numbers.variant_titles import is_baseline
from tasks.report.numbers.verdicts import difference_verdict
from tasks.report.words.caveats import shared_caveats
from tasks.search.plan import Plan
from tasks.telling.blocks import WIDTH, Block, columns, paragraphs, shown
from tasks.telling.wording import plural, preset_title
from tasks.trials.failures import failure_lines

_LEGEND = "Each variant is compared with plain SGD on the same core and output model."
_STAR = (
    "* better or worse, by intervals that hold for all differences of a corpus at once: wider ones than those above."
)


def plan_table(campaign: Campaign, plan: Plan, workers: int, sentences: Sequence[str] = ()) -> str:
    """A row for each variant: trials, stored trials, estimated time with so many workers; below it more sentences."""
    table = bare_table("corpus", "variant", "trials", "stored", "time", right=3)
    for row in plan.rows:
        left = clock_text(row.seconds / workers) if row.seconds else "-"
        table.add_row(row.corpus, row.variant, str(row.trials), str(row.stored), left)
    total = sum(row.trials for row in plan.rows)
    stored = sum(row.stored for row in plan.rows)
    head = f"plan, preset {preset_title(campaign.name, campaign.changes)}: {_budget(campaign)} for each variant"
    if plan.finished:
        foot = f"all {total} trials are stored: nothing to train"
    else:
        foot = (
            f"{total} trials, {stored} stored; about {clock_text(plan.seconds(workers))} of training"
            f" on {workers} processes, estimated from epochs timed on this machine"
        )
    foot = fill(foot, columns())
    notes = [f"{corpus} is left out: {reason}" for corpus, reason in campaign.left_out.items()]
    if plan.outdated:
        notes.append(
            f"{count(plan.outdated)} search trials of an older version are stored and not used: its numbers were others"
        )
    notes += sentences
    return "\n".join(
        [f"{fill(head, columns())}\n{rendered([table])}{foot}", *(fill(note, columns()) for note in notes)]
    )


def _budget(campaign: Campaign) -> str:
    """`5 studies of 9 draws in 2 rungs and 1 fresh seed`."""
    drawn = plural(campaign.trials, "draw") + (f" in {campaign.rungs} rungs" if campaign.rungs > 1 else "")
    return f"{plural(campaign.studies, 'study', 'studies')} of {drawn} and {plural(campaign.seeds, 'fresh seed')}"


def score_blocks(document: Mapping[str, Any]) -> list[Block]:
    """The scores of `results.json`: for each corpus a table, best variant first and baselines last, then the answer."""
    blocks = []
    shared = shared_caveats([answer["warnings"] for answer in document["answers"].values()])
    for corpus, rows in groupby(document["scores"], key=lambda row: row["corpus"]):
        title = f"{corpus}, test split, 95 % intervals over {_units(document)} and pieces"
        blocks.append(Block((title,), layouts_of(_corpus_tables(list(rows)))))
        answer = document["answers"][corpus]
        own = [text for text in answer["warnings"] if text not in shared]
        sentences = [answer["best"], answer.get("others", ""), answer["techniques"]]
        easier = document.get("ease", {}).get("answers", {}).get(corpus, "")
        blocks.append(paragraphs([" ".join(filter(None, sentences)), *filter(None, [easier]), *own]))
    if over := (document.get("aggregate") or {}).get("line"):
        blocks.append(paragraphs([over]))
    blocks.append(paragraphs([*legend(document), *filter(None, [document.get("search", "")]), *shared]))
    if failed := [f"failed: {line}" for line in failure_lines(document["failures"])]:
        blocks.append(Block(tuple(failed), indent=4))
    return blocks


def score_table(document: Mapping[str, Any]) -> str:
    """The scores of `results.json` as they are printed."""
    return shown(score_blocks(document))


def legend(document: Mapping[str, Any]) -> list[str]:
    """The legend of the tables of scores: the star, if there can be one, and the plain SGD compared with."""
    return [*([_STAR] if _units(document) == "studies" else []), _LEGEND]


def _units(document: Mapping[str, Any]) -> str:
    return "studies" if document.get("campaign", {}).get("studies", 1) > 1 else "seeds"


def _corpus_tables(rows: Sequence[Mapping[str, Any]]) -> list[Table]:
    """Layouts of a corpus's scores, widest first: two metrics; one metric; one metric with its interval below it."""
    return [_scores(rows, metrics, apart) for metrics, apart in ((2, " ["), (1, " ["), (1, "\n["))]


def _scores(rows: Sequence[Mapping[str, Any]], most: int, apart: str) -> Table:
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    by_place = {(row["variant"], row["metric"]): row for row in rows}
    shown = metrics[:most]
    # The unit is below the label, since beside it the widest numbers would not fit.
    titles = [f"{BY_NAME[name].label}\n{BY_NAME[name].unit}".rstrip() for name in shown]
    difference = "better than plain SGD by" if apart == " [" else "better than\nplain SGD by"
    table = bare_table("variant", *titles, difference, "seeds", right=len(shown) + 2)
    for row in rows:
        if row["metric"] != metrics[0]:
            continue
        cells = [score_cell(by_place[row["variant"], name]) for name in shown]
        texts = [cell.replace(" [", apart) for cell in (*cells, difference_cell(row))]
        table.add_row(row["variant"], *texts, seeds_cell(row))
    return table


def seeds_cell(row: Mapping[str, Any]) -> str:
    """The number of seeds with a score, of all seeds, for a row of `scores`; "" for a baseline."""
    if is_baseline(row["variant"]):
        return ""
    return "held back" if row["held_back"] else f"{row['n_seeds']}/{row['seeds_asked']}"


def score_cell(row: Mapping[str, Any]) -> str:
    """The score of a row of `scores` with its interval, marked if it is estimated (old reports have no estimates)."""
    decimals = BY_NAME[row["metric"]].decimals
    value = roughly(number(row["mean"], decimals), row.get("estimated", False))
    return f"{value} {interval(row['low'], row['high'], decimals)}".rstrip()


def difference_cell(row: Mapping[str, Any]) -> str:
    """The improvement over plain SGD of a row of `scores`; a star marks a difference that can be told apart from 0."""
    if row["difference"] is None:
        return ""
    decimals = BY_NAME[row["metric"]].decimals
    text = f"{signed(row['difference'], decimals)} {interval(row['diff_low'], row['diff_high'], decimals)}".rstrip()
    return f"{text} *" if difference_verdict(row, decimals) in ("better", "worse") else text


def bare_table(*titles: str, right: int) -> Table:
    """A plain table, with the last `right` columns right-aligned."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, title in enumerate(titles):
        table.add_column(title, justify="right" if index >= len(titles) - right else "left", no_wrap=True)
    return table


def layouts_of(tables: Iterable[Table]) -> tuple[tuple[int, str], ...]:
    """The layouts of a table as text, each with its width in columns."""
    console = Console(width=WIDTH, color_system=None, legacy_windows=False, markup=False, emoji=False)
    layouts = []
    for table in tables:
        console.file = io.StringIO()
        console.print(table)
        text = "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())
        layouts.append((Measurement.get(console, console.options, table).maximum, text))
    return tuple(layouts)


def rendered(tables: Iterable[Table]) -> str:
    """The text of a table, in the first of its layouts that fits."""
    return Block(layouts=layouts_of(tables)).fitted(columns())
