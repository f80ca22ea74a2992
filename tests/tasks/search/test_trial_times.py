"""Estimates: exact on a machine of known speed, and sensible on this one. No time is asserted anywhere."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from infra.store import Store
from models.data.chunks import Pieces
from models.evaluation.estimation import monitor_work, report_work
from models.network import Network
from models.trial import Trial
from tasks.campaign import Campaign
from tasks.campaign.drawing import draw_trial
from tasks.search.search import Search
from tasks.search.trial_times import TrialTimes
from tests.tasks.conftest import tiny_music
from tests.tasks.here import prepared

CORPUS = "bach-chorales"
STEPS = sum(len(piece) for piece in tiny_music().splits["train"])
Speed = Callable[[int], float]


class Machine:
    """A machine on which a training step takes `speed(units)` seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, speed: Speed) -> None:
        self.now, self.speed, self.trained, self.around = 0.0, speed, [], 0.0
        monkeypatch.setattr("tasks.search.trial_times.time", SimpleNamespace(perf_counter=lambda: self.now))
        monkeypatch.setattr("tasks.search.trial_times.train", self._train)

    def _train(self, trial: Trial, pieces: Pieces, valid: Pieces, width: int) -> None:
        assert (trial.epochs, width, len(valid) > 0) == (1, 88, True)
        first = not self.trained
        self.trained.append(trial)
        self.now += int(pieces.lengths.sum()) * self.speed(trial.hidden_size)
        self.now += self.around + (100.0 if first else 0.0)


def _trial(campaign: Campaign, digests: dict[str, str], units: int, epochs: int = 1) -> Trial:
    """A trial with batches of one piece, so that nothing is padded."""
    trial = draw_trial(campaign, CORPUS, digests[CORPUS], "rnn/bernoulli/SGD", 0)
    return replace(trial, hidden_size=units, epochs=epochs, batch=1)


def _wide(campaign: Campaign, batch: int = 1) -> Campaign:
    """Batches of one piece, so that a part of the corpus is timed and nothing is padded; 10 to 40 units."""
    sizes = {"low": 10, "high": 40}
    spaces = {name: space.having(hidden_size=sizes, batch=batch) for name, space in campaign.spaces.items()}
    return replace(campaign, spaces=spaces)


def test_a_quadratic_machine_is_estimated_exactly(store, digests, campaign, monkeypatch):
    machine = Machine(monkeypatch, lambda units: 0.5 + 0.01 * units**2)
    times = TrialTimes(store, Search(_wide(campaign), digests))
    for units in (10, 11, 25, 40):
        estimate = times.seconds(_trial(campaign, digests, units, epochs=3))
        assert estimate == pytest.approx(3 * STEPS * (0.5 + 0.01 * units**2))
    assert {trial.hidden_size for trial in machine.trained} == {10, 40}
    assert {trial.variant for trial in machine.trained} == {"rnn/bernoulli/SGD"}
    assert len(machine.trained) == 8, "once for a shape: some pieces and next to none, the first time to warm up"


def test_what_a_trial_takes_around_its_updates_is_no_part_of_an_epoch(store, digests, campaign, monkeypatch):
    machine = Machine(monkeypatch, lambda units: 0.5)
    machine.around = 7.0
    times = TrialTimes(store, Search(_wide(campaign), digests))
    assert times.seconds(_trial(campaign, digests, 10, epochs=3)) == pytest.approx(3 * STEPS * 0.5)


def test_each_core_output_model_and_size_of_batches_is_timed_for_itself(store, digests, campaign, monkeypatch):
    machine = Machine(monkeypatch, lambda units: 0.5)
    times = TrialTimes(store, Search(_wide(campaign), digests))
    trial = _trial(campaign, digests, 10)
    for each in (trial, trial, replace(trial, batch=2), replace(trial, core="gru", activation="tanh")):
        times.seconds(each)
    assert {(each.core, each.batch) for each in machine.trained} == {("rnn", 1), ("rnn", 2), ("gru", 1)}
    assert len(machine.trained) == 24


def test_hessian_free_takes_as_many_epochs_as_it_says_and_is_not_what_is_timed(store, digests, campaign, monkeypatch):
    machine = Machine(monkeypatch, lambda units: 0.5)
    variants = {CORPUS: ("rnn/bernoulli/HF", "rnn/bernoulli/SGD")}
    times = TrialTimes(store, Search(replace(_wide(campaign), variants=variants), digests))
    plain = _trial(campaign, digests, 20)
    newton = replace(plain, optimizer="HF", techniques=())
    assert times.seconds(newton) == pytest.approx(100 * times.seconds(plain))
    assert {trial.variant for trial in machine.trained} == {"rnn/bernoulli/SGD"}


@pytest.mark.parametrize("speed", [lambda units: 0.2, lambda units: 10.0 / units], ids=["constant", "noise"])
def test_a_machine_that_does_not_slow_down_is_estimated_flat(store, digests, campaign, monkeypatch, speed):
    Machine(monkeypatch, speed)
    times = TrialTimes(store, Search(_wide(campaign), digests))
    estimates = [times.seconds(_trial(campaign, digests, units)) for units in (10, 20, 40)]
    assert estimates == pytest.approx([STEPS * speed(10)] * 3)


def test_a_machine_that_slows_down_suddenly_is_never_estimated_at_nothing(store, digests, campaign, monkeypatch):
    Machine(monkeypatch, lambda units: 1e-4 if units < 20 else 10.0)
    times = TrialTimes(store, Search(_wide(campaign), digests))
    estimates = [times.seconds(_trial(campaign, digests, units)) for units in range(10, 41)]
    assert estimates == sorted(estimates)
    assert estimates[0] > 0


def test_one_size_of_network_is_measured_alone(store, digests, campaign, monkeypatch):
    spaces = {name: space.having(hidden_size=20, batch=1) for name, space in campaign.spaces.items()}
    machine = Machine(monkeypatch, lambda units: 0.3)
    times = TrialTimes(store, Search(replace(campaign, spaces=spaces), digests))
    assert times.seconds(_trial(campaign, digests, 20)) == pytest.approx(0.3 * STEPS)
    assert len(machine.trained) == 4


@pytest.mark.parametrize("corpus", ["bach-chorales", "folk-tunes-characters"])
def test_here_it_is_positive_grows_with_units_and_is_proportional_to_epochs(store, digests, campaign, corpus):
    times = TrialTimes(store, Search(campaign, digests))
    trial = draw_trial(campaign, corpus, digests[corpus], campaign.variants[corpus][0], 0)
    by_units = [times.seconds(replace(trial, hidden_size=units)) for units in range(5, 10)]
    assert by_units[0] > 0
    assert by_units == sorted(by_units)
    one, many = (times.seconds(replace(trial, epochs=epochs)) for epochs in (1, 30))
    assert many == pytest.approx(30 * one)


def test_of_long_pieces_some_chunks_are_timed_and_the_estimate_is_that_of_all(store, digests, campaign, monkeypatch):
    """Penn Treebank has 32 pieces of 29,000 words: two batches of them are the whole of it."""
    spaces = {name: space.having(hidden_size=20, batch=6, chunk=1) for name, space in campaign.spaces.items()}
    machine = Machine(monkeypatch, lambda units: 0.3)
    timed: list[list[int]] = []
    train = machine._train
    monkeypatch.setattr(
        "tasks.search.trial_times.train",
        lambda *given: timed.append([*given[1].lengths, sum(given[2].lengths)]) or train(*given),
    )
    trial = replace(_trial(campaign, digests, 20), batch=6, chunk=1)
    seconds = TrialTimes(store, Search(replace(campaign, spaces=spaces), digests)).seconds(trial)
    corpus, pieces = prepared(store, digests[CORPUS])
    assert timed[0][:-1] == [4] * 6, "four chunks of one step"
    cells = 6 * max(pieces["train"].lengths)  # six lanes side by side, as long as the longest
    assert seconds == pytest.approx(0.3 * (24 - 1) * cells / (24 - 1))
    assert 0 < timed[0][-1] < corpus.steps("valid")


def test_annealing_is_counted_after_every_epoch_and_for_the_score(store, digests, campaign, monkeypatch):
    """A machine on which a step of a chain takes a microsecond for every unit, and training no time."""
    machine = Machine(monkeypatch, lambda units: 0.0)
    looked_at = []

    def chains(network: Network, pieces: Pieces) -> None:
        looked_at.append(network.trial.output_settings.units)
        machine.now += 1e-6 * looked_at[-1] * monitor_work(len(pieces.data))

    monkeypatch.setattr("tasks.search.trial_times.monitor", chains)
    times = TrialTimes(
        store, Search(replace(_wide(campaign), variants={CORPUS: ("rnn/bernoulli/SGD", "rnn/rbm/SGD")}), digests)
    )
    assert times.scoring(_trial(campaign, digests, 10)) == 0.0
    drawn = draw_trial(campaign, CORPUS, digests[CORPUS], "rnn/rbm/SGD", 0)
    corpus, _ = prepared(store, digests[CORPUS])
    for units in (100, 200):
        trial = replace(drawn, epochs=3, output_settings=replace(drawn.output_settings, units=units))
        per_chain_step = 1e-6 * units
        assert times.seconds(trial) == pytest.approx(3 * monitor_work(corpus.steps("valid")) * per_chain_step)
        assert times.scoring(trial) == pytest.approx(report_work(corpus.steps("test")) * per_chain_step)
    assert looked_at == [100, 100, 200, 200], "each machine once, the first time to warm up"


def test_of_a_trial_whose_likelihood_is_annealed_one_step_is_validated_while_it_is_timed(
    store, digests, campaign, monkeypatch
):
    machine = Machine(monkeypatch, lambda units: 0.3)
    validated = []
    train = machine._train
    monkeypatch.setattr(
        "tasks.search.trial_times.train", lambda *given: validated.append(len(given[2].data)) or train(*given)
    )
    monkeypatch.setattr("tasks.search.trial_times.monitor", lambda network, pieces: None)
    times = TrialTimes(store, Search(replace(_wide(campaign), variants={CORPUS: ("rnn/rbm/SGD",)}), digests))
    assert times.seconds(draw_trial(campaign, CORPUS, digests[CORPUS], "rnn/rbm/SGD", 0)) > 0
    assert validated == [1] * 8


def test_estimating_stores_nothing(store: Store, digests, campaign):
    TrialTimes(store, Search(campaign, digests)).seconds(_trial(campaign, digests, 5))
    assert store.prefixes("trials") == []


def test_a_second_command_measures_nothing_whatever_its_seed(store, digests, campaign, monkeypatch):
    machine = Machine(monkeypatch, lambda units: 0.5)
    first = TrialTimes(store, Search(campaign, digests)).seconds(_trial(campaign, digests, 7))
    trained = len(machine.trained)
    again = replace(campaign, seed=campaign.seed + 1)
    assert TrialTimes(store, Search(again, digests)).seconds(_trial(again, digests, 7)) == first
    assert len(machine.trained) == trained > 0
