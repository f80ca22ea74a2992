"""What a stage of a campaign asks of its workers."""

from typing import Any

import pytest

from infra.errors import ConfigurationError
from tasks.search import dispatch
from tasks.search.dispatch import Stage, run_all
from tasks.search.search import Search
from tasks.search.standing import Standing
from tasks.trials.job import run_job
from tasks.trials.ledger import Ledger
from tasks.trials.rung import Rung
from tests.models import examples
from tests.tasks.conftest import tiny_campaign


class _Workers:
    """Workers that nobody may ask for anything but how many processes a trial has."""

    processes = 2


def test_a_campaign_with_a_trial_that_does_not_split_is_refused_before_any_work(store, digests) -> None:
    search = Search(tiny_campaign("SGD+C", "HF"), digests)
    told = "--processes-per-trial 2: rnn/bernoulli/HF: Hessian-free optimization is not split; leave the option out"
    with pytest.raises(ConfigurationError, match=told):
        run_all(Standing(Ledger(store), search), None, _Workers())  # type: ignore[arg-type]


def test_a_job_is_told_how_many_processes_train_a_trial(store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[Any, ...]]()
    monkeypatch.setattr(run_job, "submit", lambda *arguments: asked.append(arguments))

    class Named:
        names = {"0" * 64: "songs"}

    stage = Stage(Named(), Ledger(store), None, _Workers(), Rung())  # type: ignore[arg-type]
    stage._submit([examples.trial()], "search 1", False)
    ((place, _, corpus, name, *_, processes),) = asked
    assert (place, corpus, name, processes) == (store.address, "songs", "search 1, songs", 2)
    assert dispatch.run_job is run_job
