"""The settings that go along with tasks: the same as Prefect's own, written once, read once."""

import pickle
from typing import Any

import pytest
from prefect.context import SettingsContext, hydrated_context, serialize_context
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    Settings,
    get_current_settings,
    temporary_settings,
)

from infra.server.handed_settings import settings_handed_once

CHOSEN = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_API_AUTH_STRING: "hush"}


def received(sent: bytes) -> dict[str, Any]:
    context: dict[str, Any] = pickle.loads(sent)  # noqa: S301  # as Dask does
    return context


def test_a_worker_gets_the_settings_of_the_flow_run_with_its_password() -> None:
    with temporary_settings(CHOSEN):
        with settings_handed_once():
            sent = pickle.dumps(serialize_context())
        here = get_current_settings()
    with hydrated_context(received(sent)):
        assert PREFECT_API_URL.value() == CHOSEN[PREFECT_API_URL]
        assert PREFECT_API_AUTH_STRING.value() == CHOSEN[PREFECT_API_AUTH_STRING]
        there = get_current_settings()
    assert there.to_environment_variables() == here.to_environment_variables()
    assert PREFECT_API_URL.value() != CHOSEN[PREFECT_API_URL]


def test_they_are_written_once_and_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with temporary_settings(CHOSEN), settings_handed_once():
        with monkeypatch.context() as patch:
            patch.setattr(SettingsContext, "serialize", None)
            sent = [pickle.dumps(serialize_context()) for _ in range(2)]
        first = received(sent[0])["settings_context"]["settings"]
        assert isinstance(first, Settings)
        assert received(sent[1])["settings_context"]["settings"] is first


def test_settings_that_are_changed_later_go_along_with_later_tasks() -> None:
    for url in ("http://127.0.0.1:9/api", "http://127.0.0.1:10/api"):
        with temporary_settings({PREFECT_API_URL: url}), settings_handed_once():
            sent = received(pickle.dumps(serialize_context()))
        assert sent["settings_context"]["settings"].api.url == url
