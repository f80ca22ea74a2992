"""The part of the page with published numbers: what its cells say, and nothing where no corpus is official."""

import json
import re

import pytest

from tasks.report import Findings, estimate, results_json
from tasks.report.pages.published import published_sections
from tests.tasks.report.inert import check_inert
from tests.tasks.report.pages_made import TREEBANK, treebank_results, undrawn_page


@pytest.fixture(scope="module")
def treebank():
    return treebank_results()


def test_the_page_and_the_file_show_them(treebank):
    findings = Findings(treebank, estimate(treebank, resamples=50))
    (part,), sources = published_sections(findings)
    (group,) = part.groups
    cells = [(row.label, row.published.value, row.published.interval, row.verdict, row.note) for row in group.rows]
    assert sorted(cells) == [
        ("SGD", "134", "", "cannot be told", "the source has classes"),
        ("SGD", "145.16", "from memory", "none: recalled", "the source has classes"),
        ("SGD+C", "136.63", "from memory", "none: recalled", "the source has classes"),
    ]
    assert {sources[row.source - 1][:30] for row in group.rows} == {
        "quoted in the text of arXiv:12", "arXiv:1212.0901, Tables 1 and "
    }  # fmt: skip
    assert part.elsewhere.rows[0][:4] == ("Mogrifier LSTM", "perplexity", "50.1", "quoted by another")
    told = json.loads(results_json(findings))["published"][TREEBANK]
    assert [row["verdict"] for row in told["rows"]].count("recalled") == 2
    assert told["sentence"] == part.sentence
    html = undrawn_page(treebank)
    page = check_inert(html)
    targets = {each["id"] for _, each in page.tags if "id" in each}
    assert {"published", *(f"source-{n}" for n in range(1, len(sources) + 1))} <= targets
    assert re.search(r'<td class="undecided">cannot be told</td>', html)


def test_without_an_official_corpus_there_is_no_such_part(estimates, results, files):
    assert published_sections(Findings(results, estimates)) == ((), ())
    assert not {'id="published"', 'id="paper"'} & set(re.findall(r'id="\w+"', files["index.html"].decode()))
    assert not [name for name in files if name.startswith("tables/paper")]
    assert json.loads(files["results.json"])["published"] == {}
