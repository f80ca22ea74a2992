"""A report against the last one of its preset: the verdict, its words, and the small payload of an event."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.store import Store
from tasks.publishing import since_last
from tasks.publishing.publish import publish
from tasks.publishing.since_last import said_of, tell_since_last, verdict_of
from tasks.report.compared import compare_results
from tasks.report.kept import FOLDER, kept_files
from tests.tasks.report.compared.versions import SGD, C, version

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FEW = {SGD: -9.0, C: -9.0}


def _compared(after, *, before=FEW):
    return compare_results(version(1, before), version(2, after), ("a", "b"), resamples=50)


def test_the_sign_of_what_moved_is_the_word_and_a_score_that_regressed_decides():
    alike, better, both = (_compared(FEW | levels) for levels in ({}, {SGD: -8.0}, {SGD: -8.0, C: -10.0}))
    assert [verdict_of(each) for each in (alike, better, both)] == ["cannot be told", "improved", "regressed"]
    assert said_of(alike) == "No score can be told to have changed: a -> b"
    first, second = said_of(both).splitlines()
    assert first == "Of 2 scores 1 regressed and 1 improved: a -> b"
    assert second.startswith("songs: SGD+C (−1.0")


def test_a_variant_all_of_whose_seeds_diverged_has_regressed_and_one_that_nobody_asked_for_has_not():
    results = version(2, FEW)
    lost = results.trials["variant"].eq(C) & results.trials["purpose"].eq("final")
    trials = results.trials.assign(status=results.trials["status"].mask(lost, "diverged"))
    pieces = results.pieces[results.pieces["variant"].ne(C)]
    diverged = replace(results, trials=trials, pieces=pieces)
    comparison = compare_results(version(1, FEW), diverged, ("a", "b"), resamples=50)
    assert verdict_of(comparison) == "regressed"
    assert said_of(comparison).startswith("No score can be told to have changed, and 1 score gone: a -> b\nsongs: ")
    assert verdict_of(_compared({SGD: -9.0})) == "cannot be told"


def _publish(store, luck, levels, hours, **more):
    document = b'{"campaign": {"preset": "small", "changes": []}, "answers": {}}'
    tables = {f"{FOLDER}/{name}": data for name, data in kept_files(version(luck, levels, **more)).items()}
    return publish(store, tables | {"results.json": document}, {}, now=NOON + timedelta(hours=hours))


@pytest.fixture
def left(monkeypatch):
    """The events that are left, the tags, and the lines."""
    found: list[tuple] = []
    monkeypatch.setattr(since_last, "leave_event", lambda *event: found.append(event))
    monkeypatch.setattr(since_last, "tag_run", lambda tag: found.append((tag,)))
    monkeypatch.setattr(since_last, "tell_all", lambda line: found.append((line,)))
    return found


def test_every_report_leaves_an_event_and_a_regression_a_second_one(tmp_path, left):
    store = Store(str(tmp_path))
    versions = [_publish(store, 1, FEW, 0), _publish(store, 2, FEW | {C: -10.0}, 1)]
    tell_since_last(store, versions[0], "small", "address-0")
    ((name, resource, labels, payload),) = left
    assert (name, resource, labels) == ("report.published", f"report.{versions[0]}", {"preset": "small"})
    assert (payload["verdict"], payload["previous"]) == ("the first of its preset", None)
    left.clear()

    tell_since_last(store, versions[1], "small", "address-1")
    (line,), published, regressed, (tag,) = left
    assert line.startswith("against the last report of small: Of 2 scores 1 regressed: ")
    assert [event[0] for event in (published, regressed)] == ["report.published", "report.regressed"]
    assert tag == "regressed"
    payload = regressed[3]
    assert payload == json.loads(json.dumps(payload, allow_nan=False))
    assert payload["text"].endswith("\naddress-1")
    assert (payload["previous"], payload["version"]) == tuple(versions)
    (score,) = payload["scores"]
    assert score["low"] < score["change"] < score["high"] < 0
    assert set(score) == {
        "corpus", "variant", "metric", "before", "after", "change", "low", "high", "verdict",
    }  # fmt: skip


def test_what_cannot_be_compared_is_said_and_fails_nothing(tmp_path, left):
    store = Store(str(tmp_path))
    _publish(store, 1, FEW, 0)
    newest = _publish(store, 2, FEW, 1, pieces=7)
    tell_since_last(store, newest, "small", "address")
    (line,), (name, *_, payload) = left
    assert (
        line == "against the last report of small: not compared, songs: scored on 12 test pieces before and on 7 after"
    )
    assert (name, payload["verdict"], payload["scores"]) == ("report.published", "not compared", [])
