"""Log-likelihood where the output model can only estimate it: of how many steps, with what effort, how surely.

A good estimate of every step would take hours on a large split. So

    while training   `MONITOR` on `MONITORED` steps, always the same
    to report        `COARSE` on every step, c_t, and `FULL` on `REPORTED` steps drawn at random, f_i:

        mean = (1/N) sum_t c_t + (1/n) sum_i (f_i - c_i)
        error^2 = (1 - n/N) var(f_i - c_i) / n + (1/n^2) sum_i e_i^2

with e_i the standard error of f_i. Steps differ much from each other, but coarse estimates, which know all of them,
are all off by nearly the same: n steps are enough to tell by how much. A split of no more than `REPORTED` steps is
estimated in full. The error is that of the mean and common to all pieces; each has a share in proportion to its steps.

Shape letters: N steps, n drawn ones, P pieces.
"""

import numpy as np
import torch
from torch import Tensor

from models.chunks import Pieces
from models.network import Network
from models.outputs.ais import COARSE, FULL, MONITOR, Effort
from models.randomness import generator_for
from models.walk import walk

MONITORED, REPORTED = 128, 500
LANES, LONGEST = 64, 128


def drawn_steps(steps: int, most: int) -> Tensor:
    """Places of the steps that stand for all of a split, ascending; the same for equal arguments.

    >>> drawn_steps(5, 8)
    tensor([0, 1, 2, 3, 4])
    """
    order = torch.randperm(steps, generator=generator_for("drawn steps", steps, most))
    return order[:most].sort().values


def monitor(network: Network, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """How many steps of each piece were looked at, and the sum of their log-likelihoods, (P,) each."""
    place_n = drawn_steps(len(pieces.data), MONITORED)
    value_n, _ = _estimates(network, pieces, place_n, MONITOR, "monitor")
    ones_n = torch.ones_like(value_n)
    return _per_piece(pieces, place_n, ones_n).astype(pieces.lengths.dtype), _per_piece(pieces, place_n, value_n)


def report(network: Network, pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the log-likelihoods of all steps of each piece, and their standard errors, (P,) each, nats."""
    N = len(pieces.data)
    every_N, place_n = torch.arange(N), drawn_steps(N, REPORTED)
    n = len(place_n)
    fine_n, error_n = _estimates(network, pieces, place_n, FULL, "full")
    if n == N:
        coarse_N, off_n = fine_n, torch.zeros_like(fine_n)
    else:
        coarse_N, _ = _estimates(network, pieces, every_N, COARSE, "coarse")
        off_n = fine_n - coarse_N[place_n]
    spread = float(off_n.var()) if n > 1 else 0.0
    error = ((1 - n / N) * spread / n + float(error_n.square().sum()) / n**2) ** 0.5
    return _per_piece(pieces, every_N, coarse_N + off_n.mean()), error * pieces.lengths


def _estimates(
    network: Network, pieces: Pieces, place_n: Tensor, effort: Effort, purpose: str
) -> tuple[Tensor, Tensor]:
    """Log-likelihoods at some places and their standard errors, float64, in the order of the places."""
    parameters, output = network.parameters.by_name, network.output
    generator = generator_for(network.trial.seed, "annealing", purpose)
    values_2N = torch.zeros(2, len(pieces.data), dtype=torch.float64)
    wanted_N = torch.zeros(len(pieces.data), dtype=torch.bool)
    wanted_N[place_n] = True
    for stretch in walk(network, pieces, LANES, LONGEST):
        chosen = wanted_N[stretch.place_N]
        states_SOnH, data = stretch.states_SONH[:, :, chosen], stretch.data[:, :, chosen]
        estimates = output.estimate(parameters, states_SOnH, data, effort, [generator])
        values_2N[:, stretch.place_N[chosen]] = torch.stack([values.flatten() for values in estimates]).double()
    log_likelihood_n, error_n = values_2N[:, place_n]
    return log_likelihood_n, error_n


def _per_piece(pieces: Pieces, place_n: Tensor, values_n: Tensor) -> np.ndarray:
    piece_n = np.searchsorted(pieces.starts, place_n.numpy(), side="right") - 1
    return np.bincount(piece_n, weights=values_n.numpy(), minlength=len(pieces))
