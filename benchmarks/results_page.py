"""docs/results.md and README's table of the paper, written from the tables in docs/results and from nothing else.

Run it as `python -m benchmarks.results_page` after a folder of tables came or went, as of a finished campaign by
`prefect run pull --tables --to docs/results/paper/NAME --store STORE`; a test holds both texts to the tables. Every
number comes from the report's own functions (`tasks/report`), every word around them is in here. Sets that ran in
stores of their own are one campaign, and judged as one, once `prefect run copy` has brought their stores together.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby, product
from pathlib import Path
from typing import Any

from benchmarks.readme_result import table, wrapped
from infra.settings import CampaignRequest
from tasks.campaign import Campaign, resolve
from tasks.publishing.rebuild import read_folders
from tasks.report import Findings, estimate
from tasks.report.claims import Claim
from tasks.report.numbers.formatting import interval, joined, number, plural
from tasks.report.numbers.metrics import METRICS
from tasks.report.numbers.variant_titles import short_labels
from tasks.report.pages.paper import ToldCell, told_table
from tasks.report.pages.published import PublishedSection, published_sections
from tasks.report.published import literature
from tasks.report.published.literature import OFFICIAL
from tasks.report.published.paper import paper_tables
from tasks.report.words.command import reproduce_command
from tasks.report.words.tables import Cell, budget_table, score_columns, score_rows

ROOT = Path(__file__).parents[1]
TABLES, PAGE, README = ROOT / "docs" / "results", ROOT / "docs" / "results.md", ROOT / "README.md"
PRESET = "paper"
BEGIN, END = "<!-- python -m benchmarks.results_page writes from here -->", "<!-- to here -->"
MODELS = {"RNN": "rnn/bernoulli/", "RNN-NADE": "rnn/nade/"}
"""The two models of the paper's table of music, as the literature calls them, and how their variants begin."""
NOT_YET = "not run yet"
_DIGITS = 12

INTRODUCTION = (
    "What the campaign of the preset `paper` has measured so far, with the paper's claims and the numbers of the "
    "literature beside it. `python -m benchmarks.results_page` writes this page from the tables in docs/results, "
    "and a test holds it to them; `prefect run report --from docs/results` makes the whole reports from the same "
    "tables, with figures, curves, diagnostics and every interval. The tables hold no piece of the sets, so these "
    "reports show none, and have no samples. What the paper leaves open and how it was chosen: "
    "[choices.md](results/choices.md). How to read intervals and words: [report.md](report.md)."
)
SCORES = (
    "Test split, 95 % intervals over studies and pieces, each of one number alone. A star is where the difference to "
    "plain SGD of the same output model is told from chance by the intervals that hold for all comparisons of the set "
    "at once. Seeds: those with a score, of those asked for."
)
PUBLISHED = (
    "The interval is the one that holds for all variants at once, which the verdict goes by. What was written "
    "down from memory has no verdict."
)
IN_ITS_FORM = (
    "The paper's rows and columns. A cell has what was measured with its own 95 % interval, behind the semicolon what "
    "the paper has; the training split is not scored, and there the paper's number stands alone. Numbers with a dagger "
    "were written down from memory, as was the form of the tables, and no verdict rests on them."
)
REPEATED = (
    "A row again, with its variant in the last place; plain SGD comes along, and the trials have the keys that are in "
    "the tables:"
)
CLAIMS = "Each is judged by the intervals that hold for all comparisons of its table at once ([report.md](report.md))."
NOT_RUN = (
    "The campaign runs set by set, first plain SGD and the paper's rows, in two studies and then in the five of the "
    "preset, which most differences need to be told from chance; then the rest of the preset, which costs more: other "
    "subsets of C, L, R and M, Hessian-free optimization, the RBM, and LSTM and GRU as yardsticks."
)


def campaigns() -> list[Findings]:
    """Every campaign that has tables, those of sets that the preset names first before others."""
    order = list(asked())
    read = [Findings(results, estimate(results)) for results in read_folders(TABLES).values()]
    return sorted(read, key=lambda each: [order.index(name) for name in each.results.corpora])


def asked() -> Mapping[str, Sequence[str]]:
    """The sets of the preset, and the variants of each."""
    return _preset().variants


@cache
def _preset() -> Campaign:
    return resolve(CampaignRequest(preset=PRESET))


def page(measured: Sequence[Findings]) -> str:
    """docs/results.md."""
    parts = ["# The paper's table of music, measured", wrapped(INTRODUCTION), at_a_glance(measured)]
    parts += in_its_form(measured)
    for findings in measured:
        sections, sources = published_sections(findings)
        published = {section.name: section for section in sections}
        for corpus in findings.results.corpora:
            parts += of_corpus(findings, corpus)
            if corpus in published:
                parts += beside(published[corpus], sources)
            parts += again(findings, corpus)
    return "\n\n".join([*parts, *claims(measured), *not_run(measured)]) + "\n"


def readme(text: str, measured: Sequence[Findings]) -> str:
    """README with today's table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if [text.count(mark) for mark in (BEGIN, END)] != [1, 1] or END in before:
        raise SystemExit(f"README.md: wants the marks {BEGIN} and {END}, once and in this order")
    return f"{before}{BEGIN}\n{at_a_glance(measured)}\n{END}{after}"


def at_a_glance(measured: Sequence[Findings]) -> str:
    """Of each set and model the studies, the plain variant, the best one, and the published number of that model."""
    of = {corpus: findings for findings in measured for corpus in findings.results.corpora}
    music = [corpus for corpus, kind in _preset().kinds.items() if kind == "music"]
    rows = []
    for corpus, model in product(music, MODELS):
        told = _best(of[corpus], corpus, MODELS[model]) if corpus in of else (NOT_YET, "")
        studies = str(of[corpus].results.studies) if corpus in of else ""
        rows.append((corpus, model, studies, *told, _published(of.get(corpus), corpus, model)))
    unit = METRICS["music"][0].measure
    return table((f"{unit}, test", "model", "studies", "plain SGD", "best of the variants", "published"), rows)


def _best(findings: Findings, corpus: str, beginning: str) -> tuple[str, str]:
    scores = findings.estimates.primary(corpus)
    mine = scores[scores["variant"].str.startswith(beginning) & scores["mean"].notna()].to_dict("records")
    plain = [_score(row) for row in mine if row["variant"] == f"{beginning}SGD"]
    if not mine:
        return NOT_YET, ""
    return plain[0] if plain else NOT_YET, f"{mine[0]['variant'].rpartition('/')[2]} {_score(mine[0])}"


def _score(row: Mapping[str, float]) -> str:
    decimals = METRICS["music"][0].decimals
    return f"{number(row['mean'], decimals)} {interval(row['low'], row['high'], decimals)}"


def _published(findings: Findings | None, corpus: str, model: str) -> str:
    """The published number, and how plain SGD compares with it where that is told."""
    metric = METRICS["music"][0].name
    (theirs,) = (n for n in literature(corpus) if (n.model, n.metric, n.split) == (model, metric, "test"))
    value = number(theirs.value, theirs.decimals)
    beside = None if findings is None else findings.published.get(corpus)
    words = {"better": "ours is better", "worse": "ours is worse"} | {v: v for v in ("matches", "cannot be told")}
    said = [words.get(row.verdict) for row in (beside.rows if beside else ()) if row.number == theirs]
    return f"{value}; {said[0]}" if said and said[0] else value


def in_its_form(measured: Sequence[Findings]) -> Iterator[str]:
    """The paper's two tables, of all campaigns together."""
    yield "## The paper's tables in their own form"
    yield wrapped(IN_ITS_FORM)
    for told in map(told_table, paper_tables((each.results, each.estimates) for each in measured)):
        corpora = [corpus for corpus, columns in told.corpora for _ in range(columns)]
        columns = [f"{corpus}: {heading}" for corpus, heading in zip(corpora, told.headings, strict=True)]
        yield f"Table {told.number}, {told.about}:"
        rows = [(name, *map(_beside_the_papers, row)) for group in told.groups for name, row in group]
        yield table(("model", *columns), rows)
        if told.notes:
            yield wrapped(f"Where it differs, {'; '.join(told.notes)}.")


def _beside_the_papers(cell: ToldCell) -> str:
    if cell.state == "not scored":
        return cell.published
    return f"{' '.join(part for part in (cell.measured, cell.interval) if part)}; {cell.published}"


def of_corpus(findings: Findings, corpus: str) -> Iterator[str]:
    """The paper's table on a set: what it cost, the scores, and what the report says of them."""
    results, estimates = findings.results, findings.estimates
    kind = results.corpora[corpus]["kind"]
    yield f"## {corpus}"
    yield wrapped(_budget(findings, corpus))
    yield wrapped(SCORES)
    first, difference, *others = score_columns(kind)
    rows = [
        (row.label, *(_cell(cell, starred=place == 1) for place, cell in enumerate(row.cells)), row.seeds, row.diverged)
        for row in score_rows(results, estimates, corpus)
    ]
    yield table(("variant", first, difference, *others, "seeds", "diverged, draws + seeds"), rows)
    said = findings.answers[corpus]
    yield "\n".join(wrapped(each, "- ") for each in (said.best, said.others, said.techniques, said.alone) if each)
    yield wrapped(" ".join([findings.ease_sentences[corpus], *said.warnings]))


def _budget(findings: Findings, corpus: str) -> str:
    results = findings.results
    (row,) = (row for row in budget_table(results).rows if row[0] == corpus)
    _, variants, searched, seeds, *_, updates, time = row
    epochs = results.campaign["spaces"][corpus]["epochs"]
    rungs = joined(list(map(str, epochs if isinstance(epochs, list) else [epochs])))
    commits, processors, torch = (results.provenance["measured"][name] for name in ("commits", "processors", "torch"))
    return (
        f"{plural(results.studies, 'study', 'studies')} of {results.draws} draws of each of {variants} variants, "
        f"{searched} draws in rungs of {rungs} epochs and {seeds} fresh seeds: {updates} updates, {time} of training, "
        f"summed over trials of one thread each ({joined(processors)}, torch {joined(torch)}, at commit "
        f"{joined([commit[:_DIGITS] for commit in commits])})."
    )


def _cell(cell: Cell, starred: bool) -> str:
    star = " *" if starred and cell.verdict in ("better", "worse") else ""
    return " ".join(part for part in (cell.value, cell.interval) if part) + star


def beside(section: PublishedSection, sources: Sequence[str]) -> Iterator[str]:
    """Published numbers of a set beside the measured ones."""
    yield f"### {section.name}, beside the literature"
    yield wrapped(PUBLISHED)
    for group in section.groups:
        rows = [
            (
                row.label,
                row.model,
                _cell(row.measured, starred=False),
                f"{row.published.value}{f' ({row.published.interval})' if row.published.interval else ''}",
                _cell(row.difference, starred=False),
                row.verdict,
                f"{row.source}{f'; {row.note}' if row.note else ''}",
            )
            for row in group.rows
        ]
        yield table(("variant", "published as", group.heading, "published", "better by", "verdict", "source"), rows)
    used = sorted({row.source for group in section.groups for row in group.rows})
    yield "\n".join(wrapped(f"source {place}: {sources[place - 1]}", "- ") for place in used)


def again(findings: Findings, corpus: str) -> Iterator[str]:
    """The commands that repeat a set, and a row of it."""
    campaign = findings.results.campaign
    yield f"### {corpus}, again"
    yield "All of it; what a store has already is not trained again:"
    yield f"`{reproduce_command(alone(campaign, corpus)).line}`"
    yield wrapped(REPEATED)
    last = findings.results.variants(corpus)[-1]
    yield f"`prefect run reproduce --preset {campaign['preset']} --corpora {corpus} --variants {last}`"


def alone(campaign: Mapping[str, Any], corpus: str) -> dict[str, Any]:
    """The campaign on one of its sets, as `Campaign.to_json` has it."""
    return {**campaign, **{name: {corpus: campaign[name][corpus]} for name in ("corpora", "epochs", "spaces")}}


def claims(measured: Sequence[Findings]) -> Iterator[str]:
    """Each claim of the paper with its verdict by campaign, and the rows that decide."""
    yield "## The paper's claims"
    yield wrapped(CLAIMS)
    names = [joined(list(findings.results.corpora)) for findings in measured]
    together = list(zip(*(findings.claims for findings in measured), strict=True))
    rows = [(f"{of[0].text} ({of[0].section})", *(claim.verdict for claim in of)) for of in together]
    yield table(("claim (section of arXiv:1212.0901)", *names), rows)
    decided = [decided_by(claim) for of in together for claim in of]
    yield "What decides:"
    yield "\n".join(wrapped(line, "- ") for line in decided if line)
    needs = [(of[0].text, of[0].needs) for of in together if all(claim.verdict == "not tried" for claim in of)]
    if needs:
        yield "What was not tried:"
        yield "\n".join(wrapped(f"{text} It needs {need}.", "- ") for text, need in needs)


def decided_by(claim: Claim) -> str:
    """A claim, its verdict and the rows that it rests on, set by set; "" where none decides."""
    rows = [(corpus, list(of)) for corpus, of in groupby(claim.deciding, lambda row: row.corpus)]
    told = [f"on {corpus} {'; '.join(row.line for row in of)}" for corpus, of in rows]
    return f"{claim.text} {claim.verdict.capitalize()}: {'; '.join(told)}." if told else ""


def not_run(measured: Sequence[Findings]) -> Iterator[str]:
    """What of the preset has no row above, and why."""
    yield "## What was not run"
    yield wrapped(NOT_RUN)
    tried = {corpus: findings.results.variants(corpus) for findings in measured for corpus in findings.results.corpora}
    rows = []
    for corpus, variants in asked().items():
        lacking = [name for name in variants if name not in tried.get(corpus, ())]
        labels = short_labels(variants)
        told = ", ".join(labels[name] for name in lacking) if corpus in tried else "all"
        rows.append((corpus, f"{len(variants) - len(lacking)} of {len(variants)}", told or "nothing"))
    yield table(("set", "variants measured", NOT_YET), rows)
    others = [corpus for corpus in OFFICIAL if corpus not in asked()]
    if others:
        yield wrapped(f"The paper's table of text, on {joined(others)}, is the preset `paper-text`: {NOT_YET}.")
    failures = [each for findings in measured for each in findings.results.failures]
    failed = [f"{each['variant']} on {each['corpus']}: {each['reason']}" for each in failures]
    yield "\n".join(wrapped(line, "- ") for line in failed) if failed else "No trial failed."


def main() -> None:
    measured = campaigns()
    PAGE.write_text(page(measured), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main()
