"""A cause that hits every trial is noticed after the first few, and told once with its count."""

from dataclasses import replace

import pytest

from infra.errors import StoreError
from models.trial import Trial
from tasks.campaign.drawing import draw_trial
from tasks.trials.failures import FEW, NOT_TRIED, Failures, failure_lines, kind, told

CORPUS = "bach-chorales"
VARIANTS = ("rnn/bernoulli/SGD", "rnn/bernoulli/SGD+C", "rnn/bernoulli/SGD+L", "rnn/bernoulli/SGD+M")


@pytest.fixture
def trials(campaign, digests) -> list[Trial]:
    return [draw_trial(campaign, CORPUS, digests[CORPUS], variant, n) for variant in VARIANTS for n in range(5)]


def full_disk(trial: Trial) -> OSError:
    return OSError(28, "No space left on device", f"trials/{trial.key}/weights")


def tried(trials: list[Trial], raises) -> tuple[list[Trial], Failures]:
    """Those that were tried where some raise, in the order of a job."""
    failures, done = Failures([[trial] for trial in trials]), []
    for (trial,) in failures.stacks:
        if failures.leave([trial]):
            continue
        done.append(trial)
        if error := raises(trial):
            failures.add([trial], error)
        else:
            failures.succeeded()
    return done, failures


def test_where_all_raise_alike_one_of_each_variant_is_tried(trials):
    done, failures = tried(trials, full_disk)
    assert [trial.variant for trial in done] == list(VARIANTS)
    assert {failure["key"] for failure in failures.all} == {trial.key for trial in trials}
    reasons = [failure["reason"] for failure in failures.all]
    assert all(reason.startswith("OSError: [Errno 28]") for reason in reasons[: len(VARIANTS)])
    assert all(reason.startswith(f"{NOT_TRIED}OSError: [Errno 28]") for reason in reasons[len(VARIANTS) :])


def test_of_few_variants_a_few_trials_are_tried(trials):
    done, _ = tried(trials[:5], full_disk)
    assert done == trials[:FEW]


@pytest.mark.parametrize("good", VARIANTS)
def test_a_variant_that_works_is_tried_whole(trials, good):
    """Whatever the others raise, and however often: what can be trained is trained."""
    done, failures = tried(trials, lambda trial: None if trial.variant == good else full_disk(trial))
    assert set(trials) == set(done)
    assert len(failures.all) == 15


def test_reasons_that_differ_do_not_end_a_job(trials):
    done, _ = tried(trials, lambda trial: ValueError(f"{trial.variant} is wrong"))
    assert len(done) == len(trials)


def test_it_is_told_once_with_its_count(trials):
    _, first = tried(trials[:10], full_disk)
    _, second = tried(trials[10:], lambda trial: None if trial == trials[10] else full_disk(trial))
    by_key, names = {trial.key: trial for trial in trials}, {trials[0].corpus: CORPUS}
    (line,) = told([*first.all, *second.all], by_key, names)
    assert line.startswith(f"{CORPUS} rnn/bernoulli/SGD {trials[0].key[:12]} and 18 more: OSError: [Errno 28] No space")
    assert "\n" not in line


def test_the_traceback_of_what_may_be_a_defect_is_told_once(trials):
    def defect(trial: Trial) -> Exception:
        try:
            raise ZeroDivisionError("of a technique")
        except ZeroDivisionError as error:
            return error

    failures = tried(trials[:10], defect)[1].all + tried(trials[10:], defect)[1].all
    (told_once,) = told(failures, {trial.key: trial for trial in trials}, {trials[0].corpus: CORPUS})
    assert told_once.count("Traceback") == 1
    assert told_once.endswith("ZeroDivisionError: of a technique")
    store = tried(trials[:10], lambda trial: StoreError("out of reach"))[1].all
    assert not [failure for failure in store if "traceback" in failure]


def test_each_kind_of_reason_has_a_line(trials):
    rows = [
        {"corpus": CORPUS, "variant": trial.variant, "key": trial.key, "reason": reason}
        for trial, reason in zip(trials, ["A: 1", "A: 2", "B: x", "A: 3"], strict=False)
    ]
    key = trials[0].key[:12]
    assert failure_lines(rows)[0] == f"{CORPUS} rnn/bernoulli/SGD {key} and 2 more: A: 1"
    assert [line.rpartition(": ")[2] for line in failure_lines(rows)] == ["1", "x"]


def test_one_trial_is_named_without_a_count(trials):
    failures = Failures([trials[:1]])
    failures.add(trials[:1], ValueError("x"))
    (line,) = failure_lines([{"corpus": CORPUS, "variant": "v", **failures.all[0]}])
    assert line == f"{CORPUS} v {trials[0].key[:12]}: ValueError: x"


@pytest.mark.parametrize("place", ["job", "portion"])
def test_reasons_of_stored_reports_are_read_in_the_words_of_their_version(place):
    cause = "OSError: no space"
    reasons = [cause, f"not tried, since all before it in its {place} ended so: {cause}"]
    rows = [{"corpus": CORPUS, "variant": "v", "key": "0" * 64, "reason": reason} for reason in reasons]
    assert failure_lines(rows) == [f"{CORPUS} v {'0' * 12} and 1 more: {cause}"]
    assert failure_lines(rows[1:]) == [f"{CORPUS} v {'0' * 12}: {cause}"]


def test_turns_go_round_the_variants(trials):
    stacks = [[trial] for trial in (*trials[:2], replace(trials[5], seed=1), trials[2])]
    assert Failures(stacks).stacks == [stacks[0], stacks[2], stacks[1], stacks[3]]
    assert Failures([]).stacks == []


def test_of_a_failure_the_kind_is_made_once_however_many_were_before(trials, monkeypatch):
    made = []
    monkeypatch.setattr("tasks.trials.failures.kind", lambda reason: made.append(reason) or kind(reason))
    good = trials[0]
    _, failures = tried([good, *(trial for trial in trials if trial != good)], lambda t: t != good and full_disk(t))
    assert len(failures.all) == len(made) == len(trials) - 1
