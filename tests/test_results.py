"""docs/results.md and README say what the tables in docs/results say, and these are whole and small."""

import re
from dataclasses import replace
from types import ModuleType

import pytest

from infra.settings import CampaignRequest
from tasks.campaign import campaign_text, resolve
from tasks.publishing.rebuild import read_folders
from tasks.report.claims import Claim, Evidence
from tasks.report.numbers.results import COLUMNS
from tasks.report.words.command import reproduce_command
from tests.documents import ROOT

TABLES = ROOT / "docs" / "results"
MOST = 10_000_000
"""Bytes of all tables together, for a repository that is cloned in seconds."""


@pytest.fixture(scope="module")
def results_page() -> ModuleType:
    from benchmarks import results_page

    return results_page


@pytest.mark.integration
def test_the_page_and_readme_are_those_of_the_tables(results_page):
    measured = results_page.campaigns()
    again = "; `python -m benchmarks.results_page` writes them again"
    assert results_page.page(measured) == results_page.PAGE.read_text(encoding="utf-8"), f"docs/results.md{again}"
    text = results_page.README.read_text(encoding="utf-8")
    assert results_page.readme(text, measured) == text, f"README.md{again}"


def test_the_scores_of_the_page_are_the_means_of_the_tables(results_page):
    """By hand, as docs/report.md defines it: nats over frames of a trial, the mean over seeds, then over studies."""
    told = results_page.PAGE.read_text(encoding="utf-8")
    for results in read_folders(TABLES).values():
        kinds = results.pieces["corpus"].map(lambda name, of=results.corpora: of[name]["kind"])
        rows = results.pieces[kinds == "music"]
        sums = rows.groupby(["corpus", "variant", "study", "key"])[["log_likelihood", "steps"]].sum()
        by_study = (sums["log_likelihood"] / sums["steps"]).groupby(["corpus", "variant", "study"]).mean()
        means = by_study.groupby(["corpus", "variant"]).mean()
        for (corpus, variant), mean in means.items():
            section = re.split(r"^## ", told, flags=re.MULTILINE)
            (mine,) = (text for text in section if text.startswith(f"{corpus}\n"))
            row = rf"^\| {re.escape(variant.removeprefix('baseline/'))} \| ([−\d.]+)"
            score = re.findall(row, mine, re.MULTILINE)[0]
            assert float(score.replace("−", "-")) == pytest.approx(mean, abs=0.0006)


def test_the_page_of_nothing_measured_says_so(results_page):
    page = results_page.page([])
    assert re.findall(r"^\| (\S+) \| (RNN\S*) \|  \| not run yet \|  \| −\d", page, re.MULTILINE) == [
        (corpus, model)
        for corpus in ("jsb-chorales", "nottingham", "piano-midi.de", "musedata")
        for model in ("RNN", "RNN-NADE")
    ]
    assert "| jsb-chorales | 0 of 27 | all |" in page


def test_a_set_of_a_campaign_of_several_has_a_command_of_its_own(results_page):
    campaign = resolve(CampaignRequest(preset="paper", corpora=("nottingham", "musedata"), variants=("SGD+C",)))
    command = reproduce_command(results_page.alone(campaign.to_json(), "musedata"))
    assert command.line == "prefect run reproduce --preset paper --corpora musedata --variants SGD SGD+C"


def test_what_decides_a_claim_is_told_set_by_set(results_page):
    rows = [
        Evidence(corpus, what, -0.5, -0.7, -0.3, 2, "5 studies", "effects", said)
        for corpus, what, said in (("a", "R", "for"), ("a", "L", "unclear"), ("a", "M", "for"), ("b", "R", "for"))
    ]
    claim = Claim("name", "It helps.", "3", "data", tuple(rows))
    number = "−0.50 [−0.70, −0.30] (5 studies)"
    told = f"It helps. Supported: on a R: {number}; M: {number}; on b R: {number}."
    assert results_page.decided_by(claim) == told
    assert results_page.decided_by(replace(claim, evidence=(rows[1],))) == ""


@pytest.mark.parametrize("text", ["", "{begin}{end}{begin}{end}", "{end}{begin}"])
def test_readme_without_its_marks_is_left_alone(results_page, text):
    with pytest.raises(SystemExit, match="wants the marks"):
        results_page.readme(text.format(begin=results_page.BEGIN, end=results_page.END), [])


def test_the_tables_are_whole_small_and_without_a_piece_of_a_set():
    for name, results in read_folders(TABLES).items():
        assert not results.shows_pieces, name
        assert campaign_text(results.campaign) == (TABLES / name / "campaign.toml").read_text(encoding="utf-8")
        assert results.provenance["dirty"] is False, f"{name}: of code that no commit has"
    files = [path for folder in TABLES.iterdir() if folder.is_dir() for path in folder.rglob("*") if path.is_file()]
    known = {"tables.json", "campaign.toml", *(f"{name}.parquet" for name in COLUMNS)}
    assert {path.name for path in files} - {f"paper-table-{number}.csv" for number in (1, 2)} == known
    assert sum(path.stat().st_size for path in files) < MOST
