"""The report: the pages, tables and files for people. It is made only from a campaign's `Results`.

In this room: statistics, tables, charts, the pages, the exported files. Never in it: reading or writing a store
(`tasks/publishing/publish.py`), training, scoring.
"""

from tasks.campaign import campaign_text
from tasks.report.export import SCHEMA_VERSION, results_json, results_parquet
from tasks.report.findings import Findings
from tasks.report.kept import FOLDER, kept_files
from tasks.report.numbers.estimates import Estimates, estimate
from tasks.report.numbers.results import Results
from tasks.report.pages.samples import sample_files
from tasks.report.papers import comma_separated
from tasks.report.words.command import FILE

__all__ = ["SCHEMA_VERSION", "Estimates", "Findings", "Results", "build_report", "estimate"]


def build_report(results: Results) -> dict[str, bytes]:
    """Make the files of a report.

    Equal results give equal bytes: the random numbers of the bootstrap are named by the campaign's seed.

    Returns:
        `index.html`, the page, which opens offline; `results.json`, `results.parquet` and `scores.csv`, the same
        numbers for programs; in `latex/` its tables for papers; `campaign.toml`, which asks for the campaign again; in
        `tables/` what all this was made from; and in `samples/` what the networks made (docs/report.md).

    Raises:
        CampaignError: a trial was not scored on the same test pieces as the others.
    """
    # Only here: what draws takes a second to load, and a report that is published already needs none of it.
    from tasks.report.pages.page import render_page
    from tasks.report.papers.files import latex_files

    findings = Findings(results, estimate(results))
    return {
        "index.html": render_page(findings).encode(),
        "results.json": results_json(findings),
        "results.parquet": results_parquet(findings.estimates),
        comma_separated.FILE: comma_separated.scores_csv(findings.estimates),
        FILE: campaign_text(results.campaign).encode(),
        **{f"{FOLDER}/{name}": data for name, data in kept_files(results).items()},
        **{f"{FOLDER}/{table.file_name}": table.to_csv() for table in findings.paper if table.corpora},
        **latex_files(findings),
        **sample_files(results),
    }
