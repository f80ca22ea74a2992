"""A campaign in which a trial kills its worker and another one raises: gaps are named, and nothing else is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]

# A flow as flows/reproduce.py has it, over the small corpora of the tests, with a saboteur in every worker.
FLOW = '''
import json, os, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dask
import distributed
from prefect import flow

from infra.cluster.clusters import task_runner
from infra.cluster.workers import Workers
from infra.errors import CampaignError
from infra.cluster.forking import fork_workers_from_here
from infra.machine.logs import quiet_logs
from infra.server.server import api_server
from infra.store import Store
from tasks.search.trial_times import TrialTimes
from tasks.trials.failures import kind
from tasks.trials.ledger import Ledger
from tasks.publishing.make import make_report
from tasks.search.search import Search
from tasks.search.dispatch import Stage
from tasks.search.standing import Standing
from tasks.trials.job import run_job
from tasks.trials.rung import Rung
from tests.tasks.conftest import fill, tiny_campaign


class Saboteur(distributed.WorkerPlugin):
    """Some trials kill their worker each time, some raise the first time, some always."""

    def __init__(self, deadly, fragile, broken, folder):
        self.deadly, self.fragile, self.broken, self.folder = deadly, fragile, broken, Path(folder)

    def setup(self, worker):
        from tasks.trials import train
        train_stack = train.train_stack

        def sabotaged(stack, *rest):
            (trial,) = stack
            if trial.key in self.deadly:
                os._exit(9)
            if trial.key in self.broken:
                raise RuntimeError("the technique is broken")
            first = self.folder / trial.key
            if trial.key in self.fragile and not first.exists():
                first.touch()
                raise OSError("the disk hiccuped")
            return train_stack(stack, *rest)

        train.train_stack = sabotaged


@flow(task_runner=task_runner())
def sabotaged(folder):
    store, campaign = Store(f"{folder}/store"), tiny_campaign("SGD+C", "SGD+L")
    digests = fill(store)
    drawn, ledger = Search(campaign, digests), Ledger(store)
    workers, times, search = Workers(store, None, 2), TrialTimes(store, drawn), drawn.trials({})
    deadly, fragile = search[2], search[4]
    broken = Search(replace(campaign, seed=9, trials=8), digests).trials({})
    workers.client.register_plugin(Saboteur([deadly.key], [fragile.key], [trial.key for trial in broken], folder))
    reasons = Stage(drawn, ledger, times, workers, Rung()).run(search)
    finals = drawn.finals(ledger.records(search))
    reasons |= Stage(drawn, ledger, times, workers, Rung(label="seeds"), scored=True).run(finals)
    outcome = make_report(Standing(ledger, drawn), reasons, datetime.now(UTC))
    submit, sent = run_job.submit, []
    run_job.submit = lambda *arguments: sent.append(arguments[1]) or submit(*arguments)
    all_broken = Stage(drawn, ledger, times, workers, Rung()).run(broken)
    try:
        outcome.check_complete()
        told = ""
    except CampaignError as error:
        told = str(error)
    print(json.dumps({
        "deadly": [deadly.key, deadly.variant, deadly.corpus], "reasons": reasons, "told": told,
        "stored": sorted(ledger.records(search)), "asked": sorted(trial.key for trial in search),
        "finals": sorted({f"{trial.corpus} {trial.variant}" for trial in finals}),
        "unscored": len(ledger.unfinished(finals, scored=True)),
        "broken": len(all_broken), "asked of broken": len(broken), 
        "kinds": sorted({kind(reason) for reason in all_broken.values()}),
        "tasks of broken": len(sent), "all sent again": sum(map(len, sent)) == 2 * len(broken),
        "raised once": Path(folder, fragile.key).exists(), "report": outcome.version,
    }))


if __name__ == "__main__":
    quiet_logs()
    assert fork_workers_from_here()  # as a command does: those that are killed are soon there again
    with api_server() as wait_until_ready, dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        wait_until_ready()
        sabotaged(sys.argv[1])
'''


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, served: dict[str, str]) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("sabotage")
    script = folder / "sabotaged.py"
    script.write_text(FLOW)
    done = subprocess.run(
        [sys.executable, script, folder],
        cwd=ROOT,
        env={**served, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder, json.loads(done.stdout.splitlines()[-1]) | {"stderr": done.stderr}


def test_a_trial_that_kills_its_worker_costs_no_other(outcome: tuple[Path, dict[str, Any]]) -> None:
    _, told = outcome
    key, *_ = told["deadly"]
    assert told["stored"] == [other for other in told["asked"] if other != key]
    assert told["reasons"] == {key: "its worker was killed, again and again: out of memory, perhaps"}


def test_a_trial_that_raised_once_was_tried_again(outcome: tuple[Path, dict[str, Any]]) -> None:
    _, told = outcome
    assert told["raised once"]


def test_its_variant_is_held_back_and_the_others_are_scored(outcome: tuple[Path, dict[str, Any]]) -> None:
    _, told = outcome
    _, variant, corpus = told["deadly"]
    assert f"{corpus} {variant}" not in told["finals"]
    assert len(told["finals"]) == 5, "three variants on two corpora, but one"
    assert told["unscored"] == 0


def test_the_report_names_it_and_the_run_has_failed(outcome: tuple[Path, dict[str, Any]]) -> None:
    folder, told = outcome
    assert told["told"].startswith("1 of 22 trials did not come to an end")
    document = json.loads((folder / "store" / "reports" / told["report"] / "results.json").read_text())
    assert [failure["key"] for failure in document["failures"]] == [told["deadly"][0]]


def test_a_cause_that_hits_all_trials_costs_few_tasks_and_few_lines(outcome: tuple[Path, dict[str, Any]]) -> None:
    _, told = outcome
    assert told["asked of broken"] == told["broken"] == 48
    assert told["kinds"] == ["RuntimeError: the technique is broken"]
    assert told["all sent again"], "what raised may have been a hiccup"
    assert told["tasks of broken"] <= 2 * 2 * 16, "jobs for two workers, both times; a task a trial would be 96"
    lines = [line for line in told["stderr"].splitlines() if "RuntimeError: the technique is broken" in line]
    assert len(lines) == 4, "the line and the end of its traceback, in each round"
    assert sum("Traceback" in line for line in told["stderr"].splitlines()) <= 4
