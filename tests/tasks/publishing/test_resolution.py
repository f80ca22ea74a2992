"""What a planned campaign can tell: which report it is read from, and what the line says."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.store import Store
from tasks.publishing.publish import publish
from tasks.publishing.resolution import resolution
from tasks.report.numbers.detectable import half_width
from tasks.report.numbers.formatting import number
from tasks.search.search import Search
from tests.tasks.conftest import tiny_campaign

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
MUSIC, TEXT = "bach-chorales", "folk-tunes-characters"
UNKNOWN = "how small a difference it can tell is known after a first campaign of two studies"


def resolution_lines(store: Store, search: Search) -> list[str]:
    """As the plan tells them."""
    smallest, told = resolution(store, search)
    return [*map(str, smallest), *told]


def _publish(
    store: Store, digests: Mapping[str, str], rows: list[dict[str, Any]], minutes: int = 0, **more: Any
) -> str:
    document = {"corpora": {name: {"digest": digest} for name, digest in digests.items()}, "scores": rows} | more
    return publish(store, {"results.json": json.dumps(document).encode()}, {}, now=NOON + timedelta(minutes=minutes))


def _row(corpus: str = MUSIC, **values: Any) -> dict[str, Any]:
    kind, metric = ("music", "log_likelihood") if corpus == MUSIC else ("characters", "bits_per_character")
    row = {"corpus": corpus, "kind": kind, "metric": metric, "n_pieces": 40, "diff_studies": 5}
    return row | {"diff_study_sd": 0.1, "diff_piece_se": 0.02} | values


def _under(line: str) -> float:
    found = re.search(r"under ([\d.]+) ", line)
    assert found is not None, line
    return float(found.group(1))


def test_before_a_first_campaign_one_line_says_so(store, digests):
    campaign = tiny_campaign("SGD+C", studies=5)
    assert resolution_lines(store, Search(campaign, digests)) == [UNKNOWN]


def test_a_report_of_several_studies_tells_how_small_a_difference_can_be_told(store, digests):
    campaign = tiny_campaign("SGD+C", "SGD+LM", studies=4)
    rows = [_row(diff_study_sd=sd) for sd in (0.1, 0.2, 0.6)]
    rows += [_row(metric="accuracy", diff_study_sd=9.0), _row(diff_study_sd=None, diff_piece_se=None), _row(TEXT)]
    version = _publish(store, digests, rows)
    music, text = resolution_lines(store, Search(campaign, digests))
    width = number(half_width(0.2, 0.02, 4, 40, family=2), 3)
    assert music == (
        f"bach-chorales: a difference to plain SGD under {width} nats per frame cannot be told"
        f" (from 5 studies in the report {version})"
    )
    assert text.startswith(f"{TEXT}: a difference to plain SGD under 0.")
    assert " bits per character cannot be told" in text


def test_more_studies_tell_smaller_differences(store, digests):
    _publish(store, digests, [_row(), _row(TEXT)])
    widths = [
        _under(resolution_lines(store, Search(tiny_campaign("SGD+C", studies=n), digests))[0]) for n in (2, 5, 10)
    ]
    assert widths == sorted(widths, reverse=True)


def test_the_newest_report_of_each_corpus_that_knows_it_counts(store, digests):
    old = _publish(store, digests, [_row(diff_study_sd=5.0), _row(TEXT)])
    new = _publish(store, digests, [_row(diff_study_sd=0.01), _row(TEXT, diff_studies=1)], minutes=1)
    _publish(store, digests | {MUSIC: "another corpus under this name"}, [_row(diff_study_sd=7.0)], minutes=2)
    earlier = {key: value for key, value in _row(diff_study_sd=7.0).items() if not key.startswith("diff_study_")}
    _publish(store, digests, [earlier], minutes=3)
    music, text = resolution_lines(store, Search(tiny_campaign("SGD+C", studies=5), digests))
    assert music.endswith(f"the report {new})")
    assert text.endswith(f"the report {old})")
    assert _under(music) < 0.1


def test_a_corpus_that_no_report_knows_is_named(store, digests):
    _publish(store, digests, [_row()])
    music, text = resolution_lines(store, Search(tiny_campaign("SGD+C", studies=5), digests))
    assert music.startswith(MUSIC)
    assert text == f"how small a difference it can tell on {TEXT} is known after a first campaign of two studies"


def test_one_study_tells_nothing_and_plain_sgd_alone_has_no_line(store, digests):
    _publish(store, digests, [_row(), _row(TEXT)])
    (line,) = resolution_lines(store, Search(tiny_campaign("SGD+C", studies=1), digests))
    assert line == "one study tells no difference from the luck of its search: --studies 2 or more"
    assert resolution_lines(store, Search(tiny_campaign("SGD", studies=5), digests)) == []


def test_a_report_that_cannot_be_read_is_passed_over_by_name(store, digests):
    version = _publish(store, digests, [_row(), _row(TEXT)])
    odd = _publish(store, digests, [_row(kind="a kind of another version")], minutes=1)
    *lines, passed = resolution_lines(store, Search(tiny_campaign("SGD+C", studies=5), digests))
    assert [version in line for line in lines] == [True, True]
    assert passed.startswith("passed over: ")
    assert f"reports/{odd} cannot be read here" in passed


def test_no_more_than_the_twelve_newest_reports_are_read(store, digests):
    _publish(store, digests, [_row(), _row(TEXT)])
    for minutes in range(1, 13):
        _publish(store, digests, [], minutes=minutes)
    assert resolution_lines(store, Search(tiny_campaign("SGD+C", studies=5), digests)) == [UNKNOWN]
