"""The page: one self-contained HTML file, made from the tables, the charts and the template.

It opens offline, is complete without a script, and sends no request to any network. Its content security policy says so
to the browser too, and allows its one script by its hash (`scripts.py`). The template escapes every text
(`templates.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from tasks.report.charts.scores import difference_chart, effect_chart, forest_chart
from tasks.report.charts.theme import to_svg
from tasks.report.charts.training import GROUPS, curve_panels, search_scatter, techniques_group
from tasks.report.findings import Findings
from tasks.report.numbers.formatting import NOTHING, joined, plural
from tasks.report.numbers.intervals import LEVEL
from tasks.report.numbers.metrics import METRICS, SCORED_NAMES, Metric
from tasks.report.numbers.variant_titles import group_of, main_variants, techniques_told
from tasks.report.pages.aggregate import aggregate_section
from tasks.report.pages.corpora import render_corpora
from tasks.report.pages.ease import ease_section
from tasks.report.pages.lags import lag_families
from tasks.report.pages.lessons import lessons
from tasks.report.pages.paper import told_tables
from tasks.report.pages.published import published_sections
from tasks.report.pages.samples import sample_sections
from tasks.report.pages.templates import facts, fill_template
from tasks.report.pages.why import Why, render_why
from tasks.report.teaching.glossary import explained
from tasks.report.training.edges import edge_sentences
from tasks.report.training.mattering import mattering_table
from tasks.report.words import tables
from tasks.report.words.answer import Answer, replicated, told_of_search
from tasks.report.words.caveats import shared_caveats
from tasks.report.words.command import reproduce_command
from tasks.report.words.drawn_from import drawn_from_table
from tasks.telling.wording import preset_title


@dataclass(frozen=True)
class Section:
    """Everything that the page shows about one corpus."""

    anchor: str
    name: str
    step: str
    answer: Answer
    metric: Metric
    columns: tuple[str, ...]
    rows: tuple[tables.ScoreRow, ...]
    chosen: tables.Table
    changes: Mapping[str, tables.Cell]
    forest: Markup | None
    differences: Markup | None
    effects: Markup | None
    pairs: str
    curves: tuple[tuple[str, Markup], ...]
    search: Markup | None
    searched: str
    groups: tuple[str, ...]
    edges: tuple[str, ...]
    mattering: tables.Table
    why: Why | None
    broken: tuple[str, ...]


def render_page(findings: Findings) -> str:
    """The whole page as text."""
    results, estimates = findings.results, findings.estimates
    sections = [_section(findings, name, i) for i, name in enumerate(results.corpora, start=1)]
    published, sources = published_sections(findings)
    page = fill_template(
        "page.html.jinja",
        sections=sections,
        ease=[ease_section(findings, name, f"ease-{i}") for i, name in enumerate(results.corpora, start=1)],
        search=told_of_search(estimates),
        replicated=replicated(estimates),
        training=float(np.nansum(results.trials["seconds"].astype(float))),
        samples=sample_sections(findings.shown, estimates),
        claims=findings.claims,
        published=published,
        sources=sources,
        paper_tables=told_tables(findings.paper),
        lessons=lessons(),
        aggregate=aggregate_section(findings.aggregate),
        families=lag_families(results, estimates),
        results=results,
        preset=preset_title(results.campaign.get("preset", NOTHING), results.campaign.get("changes", ())),
        provenance=results.provenance,
        equal_budget=all(tables.equal_budgets(estimates, name) for name in results.corpora),
        incomplete=[line for name in results.corpora for line in tables.incomplete_searches(estimates, name)],
        budget=tables.budget_table(results),
        corpora=tables.corpora_table(results),
        origin=facts({"seconds of this run" if k == "seconds" else k: v for k, v in results.provenance.items()}),
        settings=facts({k: v for k, v in results.campaign.items() if k not in ("corpora", "spaces", "title")}),
        drawn_from=drawn_from_table(results.campaign.get("spaces", {})),
        failures=results.failures,
        resamples=f"{estimates.resamples:,}",
        level=f"{100 * LEVEL:g}",
        seed=estimates.seed,
        techniques=techniques_told(variant for name in results.corpora for variant in results.variants(name)),
        shared=shared_caveats([section.answer.warnings for section in sections]),
        command=reproduce_command(results.campaign),
    )
    return _with_words(page, render_corpora(findings.shown))


def _with_words(page: str, corpora: str) -> str:
    """The page with a button at the first place of each word of the glossary, the corpora, and the words at the end."""
    start, end = page.index("<main"), page.index("</main>")
    main, words = explained(page[start:end])
    return f"{page[:start]}{main}{corpora}{fill_template('words.html.jinja', words=words)}{page[end:]}"


def _section(findings: Findings, corpus: str, index: int) -> Section:
    results, estimates, said = findings.results, findings.estimates, findings.answers[corpus]
    scores = estimates.primary(corpus)
    kind = scores["kind"].iloc[0]
    metric, anchor = METRICS[kind][0], f"corpus-{index}"
    effects = estimates.primary_effects(corpus)
    trials = results.trials[results.trials["corpus"] == corpus]
    curves = findings.shown.curves[findings.shown.curves["corpus"] == corpus]
    # The scores of other output models and the learning rates of other optimizers lie elsewhere.
    main = main_variants(scores["variant"])
    searched = trials[(trials["purpose"] == "search") & trials["variant"].isin(main)]
    search = search_scatter(searched, SCORED_NAMES[kind])
    panels = curve_panels(curves, trials)
    return Section(
        anchor=anchor,
        name=corpus,
        step=SCORED_NAMES[kind],
        answer=said,
        metric=metric,
        columns=tables.score_columns(kind),
        rows=tables.score_rows(results, estimates, corpus),
        chosen=tables.chosen_table(results, corpus),
        changes=tables.change_cells(estimates, corpus),
        forest=_drawn(
            scores["mean"],
            forest_chart(scores, metric),
            f"{anchor}-forest",
            f"Test scores with intervals. {said.best}",
        ),
        differences=_drawn(
            scores["difference"],
            difference_chart(scores, metric),
            f"{anchor}-differences",
            "Difference of each variant to plain SGD with its interval; the table below holds the numbers.",
        ),
        effects=_drawn(
            effects["effect"],
            effect_chart(effects, metric),
            f"{anchor}-effects",
            f"Average change made by each technique. {said.techniques}",
        ),
        pairs=_pairs(effects),
        curves=tuple(
            (title, to_svg(chart, f"{anchor}-curve-{i}", f"Validation curves of {title}."))
            for i, (title, chart) in enumerate(panels)
        ),
        search=to_svg(search, f"{anchor}-search", _search_summary(searched)) if search else None,
        searched=group_of(main[0]) if main and set(results.variants(corpus)) - set(main) else "",
        groups=tuple(g for g in GROUPS if g in set(searched["variant"].map(techniques_group))),
        edges=tuple(edge_sentences(findings.edges[corpus], results.variants(corpus))),
        mattering=mattering_table(findings.mattering[corpus]),
        why=render_why(findings, corpus, anchor),
        broken=tuple(each.line for each in findings.broken if each.corpus == corpus),
    )


def _drawn(values: pd.Series, chart: Any, name: str, description: str) -> Markup | None:
    return to_svg(chart, name, description) if values.notna().any() else None


def _pairs(effects: pd.DataFrame) -> str:
    """The number of pairs of variants that each technique was compared over."""
    told = [f"{row.technique} {row.n_pairs} of {row.pairs_asked}" for row in effects.itertuples() if row.pairs_asked]
    return joined(told)


def _search_summary(search: pd.DataFrame) -> str:
    diverged = search[search["status"] == "diverged"]
    text = f"Validation score against learning rate of {plural(len(search), 'search trial')}"
    untrained = f", {many} learned nothing" if (many := (search["status"] == "untrained").sum()) else ""
    if diverged.empty:
        return f"{text}; none diverged{untrained}."
    lowest = diverged["learning_rate"].min()
    return f"{text}; {len(diverged)} diverged, at learning rates of {lowest:.3g} and more{untrained}."
