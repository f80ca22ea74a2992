"""The moving average of the parameters against its closed form, and what a trial does with it."""

from dataclasses import replace

import pytest
import torch

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import score_members
from models.network import Network
from models.training.run import Run, train
from models.training.updates.averaging import AVERAGE, average_, fresh_average
from models.trial import Trial
from tests.models import examples

TRAIN, VALID = (Pieces.from_arrays(examples.sparse(lengths, seed=3)) for lengths in ([9, 4, 6, 1, 7, 3], [8, 5]))


@pytest.mark.parametrize("decay", [0.01, 0.5, 0.9, 0.999])
def test_it_is_the_weighted_mean_of_all_parameters_so_far(decay):
    random = torch.Generator().manual_seed(5)
    path_NSP = torch.randn(40, 3, 7, generator=random, dtype=torch.float64)
    state = fresh_average(path_NSP[0])
    for n, theta_SP in enumerate(path_NSP, 1):
        average_(state, theta_SP, decay)
        weight_N = decay ** torch.arange(n - 1, -1, -1, dtype=torch.float64)
        mean_SP = torch.einsum("n,nsp->sp", weight_N, path_NSP[:n]) / weight_N.sum()
        torch.testing.assert_close(state[AVERAGE], mean_SP, rtol=1e-12, atol=1e-12)
    assert torch.equal(path_NSP[-1], theta_SP), "the parameters stay as they are"


def _path(trial: Trial) -> tuple[Run, torch.Tensor]:
    """A run at its end but for the last scoring, and the parameters after each update."""
    run, path = Run([trial], TRAIN, VALID, 5), []
    while run.advance():
        if run.progress()[0].updates > len(path):
            path.append(run.checkpoints()[0].tensors["theta"][0])
    return run, torch.stack(path)


@pytest.mark.parametrize("changes", [{}, {"letters": "CM"}, {"optimizer": "Adam"}, {"output": "nade"}], ids=str)
def test_the_average_is_scored_and_kept_and_the_updates_go_on_from_the_parameters(changes):
    trial = examples.trial(**changes, averaging=0.8, epochs=2, decay=1.0)
    plain = replace(trial, averaging=0.0)
    run, path_NP = _path(trial)
    assert torch.equal(path_NP, _path(plain)[1]), "the updates are those of a trial without it"
    ended, without = run.ended[trial.key], train(plain, TRAIN, VALID, 5)
    network = Network(trial, frequencies(TRAIN, 5).float())
    for row in ended.curve[1:]:
        weight_N = 0.8 ** torch.arange(row.update - 1, -1, -1)
        mean_1P = ((weight_N / weight_N.sum()) @ path_NP[: row.update]).unsqueeze(0)
        network.parameters.theta_SP.copy_(mean_1P)
        (score,) = score_members(network, VALID)
        assert row.valid == pytest.approx(score.mean_log_likelihood, rel=1e-5)
        assert row.valid != pytest.approx(without.curve[row.epoch].valid, rel=1e-4)
        if row == ended.best:
            for name, weight in network.weights(0, mean_1P).items():
                torch.testing.assert_close(ended.weights[name], weight, rtol=1e-5, atol=1e-6)
    assert ended.best.epoch > 0


def test_epoch_0_is_the_network_as_it_was_drawn():
    trial = examples.trial(averaging=0.8)
    assert train(trial, TRAIN, VALID, 5).curve[0] == train(replace(trial, averaging=0.0), TRAIN, VALID, 5).curve[0]


def test_a_member_that_diverges_leaves_the_averages_of_the_others():
    trials = [examples.trial(seed=s, learning_rate=rate, averaging=0.8) for s, rate in enumerate((0.02, 1e8, 0.03))]
    run = Run(trials, TRAIN, VALID, 5)
    while run.advance():
        pass
    assert [run.ended[trial.key].status == "diverged" for trial in trials] == [False, True, False]
    for trial in (trials[0], trials[2]):
        alone = [epoch.valid for epoch in train(trial, TRAIN, VALID, 5).curve]
        assert [epoch.valid for epoch in run.ended[trial.key].curve] == pytest.approx(alone, rel=2e-4)
