"""The page of all versions in a real store: renewed, whole, and safe from those who publish at the same time."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from infra.errors import ConflictError
from infra.store import Store
from tasks.publishing import trend as module
from tasks.publishing.publish import TREND, publish
from tasks.publishing.trend import renew_trend
from tasks.upkeep.copying import copy_store
from tasks.upkeep.deletion import delete_report
from tasks.upkeep.retention import Dispensable, withdraw_all
from tasks.upkeep.verify import verify_store
from tests.tasks.report.inert import EVIL, check_inert

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SGD = "rnn/bernoulli/SGD"


@pytest.fixture
def store():
    return Store(f"memory://{secrets.token_hex(8)}")


def _row(variant: str, mean: float | None, corpus: str = "songs", metric: str = "log_likelihood") -> dict[str, object]:
    ends = {"low": None, "high": None} if mean is None else {"low": mean - 0.1, "high": mean + 0.1}
    return {"corpus": corpus, "variant": variant, "metric": metric, "mean": mean, **ends}


def _publish(store: Store, hour: int, *rows: dict, preset: str = "small", digest: str = "d" * 64, **more) -> str:
    corpora = {str(row["corpus"]): {"digest": digest} for row in rows}
    answers = {"songs": {"line": f"songs: line {hour}"}}
    document = {"campaign": {"preset": preset, **more}, "answers": answers, "corpora": corpora, "scores": rows}
    files = {"index.html": b"<p>", "results.json": json.dumps(document).encode()}
    return publish(store, files, {"commit": f"{hour:040x}"}, now=NOON + timedelta(hours=hour))


def _page(store: Store) -> str:
    data, _ = store.read_page(TREND)
    return data.decode()


def test_the_best_of_each_version_is_there_newest_first(store):
    rows = (_row("baseline/uniform", -1.0), _row("rnn/nade/SGD", None), _row(f"{SGD}+C", -8.0), _row(SGD, -9.0))
    first = _publish(store, 0, *rows, digest="e" * 64)
    second = _publish(store, 1, _row(SGD, -8.5), _row("rnn/softmax/SGD", 2.5, "tunes", "bits_per_character"))
    other = _publish(store, 2, preset="large")
    changed = _publish(store, 3, _row(SGD, -7.0), changes=["trials"])
    renew_trend(store)
    html = _page(store)
    page = check_inert(html)
    links = [attrs["href"] for attrs in page.all("a") if not attrs["href"].startswith("#")]
    assert links == [f"{each}/index.html" for each in (changed, changed, other, second, first, second)]
    titles = [html.index(f'-title">{title}</h2>') for title in ("small, changed", "large", "small")]
    assert titles == sorted(titles)
    assert "−8.000 [−8.100, −7.900]" in html
    assert "−1.000" not in html
    assert html.count('<svg class="bar"') == 4
    assert html.count("other data, eeeeeeee") == html.count("other data") == 1
    assert html.count("lower is better") == 1
    assert html.count(f"<td>{second}</td>") == 2, "the name to compare it by"
    assert "songs: line 2" in html
    assert "songs: line 1" not in html


def test_what_was_published_before_scores_were_kept_has_its_line(store):
    told = {"preset": "small", "best": "songs: SGD+C −9.1", "changes": []}
    store.commit("reports/20260101T120000Z-00000000", {}, kind="report", provenance={"report": told}, plain_names=True)
    for odd in (1, {"scores": [{}]}, {"scores": [{**_row(SGD, -9.0), "digest": "", "mean": "x"}]}):
        name = f"20260102T120000Z-{secrets.token_hex(4)}"
        store.commit(f"reports/{name}", {}, kind="report", provenance={"report": odd}, plain_names=True)
    renew_trend(store)
    html = _page(store)
    assert "songs: SGD+C −9.1" in html
    assert "20260102T120000Z" not in html


def test_names_of_other_people_stay_text(store):
    row = _row(f"{EVIL}\u202e", -9.0, EVIL)
    told = {"preset": EVIL, "best": EVIL, "changes": [], "scores": [{**row, "digest": EVIL}]}
    older = {**told, "scores": [], "best": f"{EVIL}\u202e"}
    for number, each in enumerate((told, older)):  # no pointer can have such a name
        name = f"2026010{number + 1}T120000Z-00000000"
        provenance = {"report": each, "commit": "<b>\u202e"}
        store.commit(f"reports/{name}", {}, kind="report", provenance=provenance, plain_names=True)
    renew_trend(store)
    check_inert(_page(store))
    assert "\u202e" not in _page(store)
    assert "alert" in _page(store)


def test_competing_publishers_leave_all_versions_on_the_page(tmp_path):
    store = Store(str(tmp_path))

    def one(hour: int) -> str:
        version = _publish(store, hour, _row(SGD, -9.0))
        renew_trend(store)
        return version

    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(one, range(6)))
    assert all(f"{version}/index.html" in _page(store) for version in versions)


def test_who_reads_an_older_listing_writes_nothing_over_a_newer_page(store, monkeypatch):
    _publish(store, 0, _row(SGD, -9.0))
    listed, made = module._versions, []

    def overtaken(store: Store):
        found = listed(store)
        if not made:
            made.append(_publish(store, 1, _row(SGD, -8.0)))
            monkeypatch.setattr(module, "_versions", listed)
            renew_trend(store)
        return found

    monkeypatch.setattr(module, "_versions", overtaken)
    renew_trend(store)
    assert f"{made[0]}/index.html" in _page(store)


def test_a_page_that_is_as_it_should_be_is_not_written_and_one_that_never_holds_still_is_told(store, monkeypatch):
    def refused(path, data, expected):
        raise ConflictError("taken")

    renew_trend(store)
    assert "No report is published." in _page(store)
    monkeypatch.setattr(store, "swap_page", refused)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    renew_trend(store)
    _publish(store, 0, _row(SGD, -9.0))
    with pytest.raises(ConflictError, match=r"reports/index\.html kept changing"):
        renew_trend(store)


def test_who_copies_or_removes_reports_renews_it(store):
    first, second, third = (_publish(store, hour, _row(SGD, -9.0)) for hour in range(3))
    other = Store(f"memory://{secrets.token_hex(8)}")
    copy_store(store, other, ("reports",), pytest.fail)
    assert all(f"{version}/index.html" in _page(other) for version in (first, second, third))
    delete_report(other, first)
    assert store.read_page(TREND) == (None, None)
    withdraw_all(other, [Dispensable("", "", (f"reports/{second}",), 0, 0)])
    assert [f"{version}/index.html" in _page(other) for version in (first, second, third)] == [False, False, True]


def test_it_is_no_stranger_in_a_store(tmp_path):
    store = Store(str(tmp_path))
    _publish(store, 0, _row(SGD, -9.0))
    renew_trend(store)
    assert (verify_store(store).damaged, verify_store(store).noticed) == ((), ())
