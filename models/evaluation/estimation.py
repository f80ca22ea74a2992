"""Log-likelihood of output models that can only estimate it: number of steps, effort, and standard error.

A good estimate of every step would take hours on a large split. Therefore

    while training   `MONITOR` on `MONITORED` steps, always the same
    to report        `COARSE` on every step, c_t, and `FULL` on `REPORTED` steps drawn at random, f_i:

        mean = (1/N) sum_t c_t + (1/n) sum_i (f_i - c_i)
        error^2 = (1 - n/N) var(f_i - c_i) / n + (1/n^2) sum_i e_i^2

with e_i the standard error of f_i. The steps differ a lot from each other, but the coarse estimates of all steps have
nearly the same bias, so n steps are enough to estimate that bias. A split of at most `REPORTED` steps is estimated in
full. The error is that of the mean, common to all pieces; each piece gets a share in proportion to its steps.

Shape letters: S stacked trials, N steps, n drawn ones, Q pieces, H hidden.
"""

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.evaluation.forward import walk
from models.network import Network
from models.outputs.effort import COARSE, FULL, MONITOR, Effort
from models.randomness import generator_for

MONITORED, REPORTED = 128, 500
LANES, LONGEST = 64, 128


def drawn_steps(steps: int, most: int) -> Tensor:
    """A random sample of steps of a split, ascending; the same for equal arguments.

    >>> drawn_steps(5, 8)
    tensor([0, 1, 2, 3, 4])
    """
    order = torch.randperm(steps, generator=generator_for("drawn steps", steps, most))
    return order[:most].sort().values


def monitor_work(steps: int) -> int:
    """Number of chain steps that `monitor` takes for a split of so many steps."""
    return min(steps, MONITORED) * MONITOR.work


def report_work(steps: int) -> int:
    """Number of chain steps that `report` takes for a split of so many steps.

    >>> report_work(400) / FULL.work, report_work(1000) == 500 * FULL.work + 1000 * COARSE.work
    (400.0, True)
    """
    return min(steps, REPORTED) * FULL.work + (steps * COARSE.work if steps > REPORTED else 0)


def monitor(network: Network, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """The number of sampled steps of each piece, (Q,), and the sums of their log-likelihoods, (S, Q)."""
    place_n = drawn_steps(len(pieces.data), MONITORED)
    value_Sn, _ = _estimates(network, pieces, place_n, MONITOR, "monitor")
    (steps_Q,) = _per_piece(pieces, place_n, torch.ones(1, len(place_n), dtype=torch.float64))
    return steps_Q.astype(pieces.lengths.dtype), _per_piece(pieces, place_n, value_Sn)


def report(network: Network, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the log-likelihoods of all steps of each piece, and their standard errors, nats, (S, Q) each."""
    N = len(pieces.data)
    every_N, place_n = torch.arange(N), drawn_steps(N, REPORTED)
    n = len(place_n)
    fine_Sn, error_Sn = _estimates(network, pieces, place_n, FULL, "full")
    if n == N:
        coarse_SN, off_Sn = fine_Sn, torch.zeros_like(fine_Sn)
    else:
        coarse_SN, _ = _estimates(network, pieces, every_N, COARSE, "coarse")
        off_Sn = fine_Sn - coarse_SN[:, place_n]
    off_S1 = off_Sn.mean(1, keepdim=True)
    spread_S = (off_Sn - off_S1).square().sum(1) / max(n - 1, 1)
    error_S = ((1 - n / N) * spread_S / n + error_Sn.square().sum(1) / n**2).sqrt()
    return _per_piece(pieces, every_N, coarse_SN + off_S1), error_S[:, None].numpy() * pieces.lengths


def _estimates(
    network: Network, pieces: Pieces, place_n: Tensor, effort: Effort, purpose: str
) -> tuple[Tensor, Tensor]:
    """Log-likelihoods at some places and their standard errors, float64 (S, n) on the CPU, in the order of places."""
    parameters, output, device = network.named, network.output, pieces.data.device
    generators = [generator_for(trial.stream, "annealing", purpose, device=device) for trial in network.trials]
    values_2SN = torch.zeros(2, len(generators), len(pieces.data), dtype=torch.float64, device=device)
    wanted_N = torch.zeros(len(pieces.data), dtype=torch.bool, device=device)
    wanted_N[place_n.to(device)] = True
    for stretch in walk(network, pieces, LANES, LONGEST):
        chosen = wanted_N[stretch.place_N]
        states_S1nH, data = stretch.states_S1NH[:, :, chosen], stretch.data[:, :, chosen]
        estimates = output.estimate(parameters, states_S1nH, data, effort, generators)
        values_2SN[:, :, stretch.place_N[chosen]] = torch.stack([values.flatten(1) for values in estimates]).double()
    log_likelihood_Sn, error_Sn = values_2SN.cpu()[:, :, place_n]
    return log_likelihood_Sn, error_Sn


def _per_piece(pieces: Pieces, place_n: Tensor, values_Sn: Tensor) -> np.ndarray:
    piece_n = np.searchsorted(pieces.starts, place_n.numpy(), side="right") - 1
    return np.stack([np.bincount(piece_n, values_n, len(pieces)) for values_n in values_Sn.numpy()])
