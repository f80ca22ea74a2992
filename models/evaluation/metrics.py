"""Scores of a model as the specification defines them: sums for every piece, pooled at the end.

Log-likelihood: in nats for a whole step, averaged over all steps of all pieces, the first step of a piece included.
Accuracy: of one sample s_t given the true past, TP / max(n_true, n_sampled) with 0/0 := 1, averaged over all frames.
This formula gives the published columns; the union formula TP / (TP + FP + FN), which does not, is computed too. If
only some steps are scored, only these are counted, and success is the share of them whose most likely value is right.
Sums are in float64.

Shape letters: S stacked trials, T time, B batch, N frames, D notes, H hidden, Q pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.evaluation.estimation import monitor, report
from models.evaluation.forward import likelihoods, walk
from models.network import Network

LANES, LONGEST = 64, 128
_ACCURACIES = ("accuracy", "union_accuracy")


@dataclass(frozen=True)
class Scores:
    """Sums over the steps of each piece, float64, in the order of the pieces.

    Attributes:
        steps: number of scored frames or symbols; for a quick estimate, number of the sampled ones.
        log_likelihood: nats.
        accuracy, union_accuracy: of one sample for each frame; None for text.
        log_likelihood_error: standard error of an estimated log-likelihood, common to all pieces; None if the
            log-likelihood is exact, and for quick estimates.
        success: number of right guesses; None if every step is scored.
    """

    steps: np.ndarray
    log_likelihood: np.ndarray
    accuracy: np.ndarray | None = None
    union_accuracy: np.ndarray | None = None
    log_likelihood_error: np.ndarray | None = None
    success: np.ndarray | None = None

    @property
    def mean_log_likelihood(self) -> float:
        """Nats per step, pooled over all pieces."""
        return float(self.log_likelihood.sum() / self.steps.sum())


def frame_accuracy(true: Tensor, sampled: Tensor) -> tuple[Tensor, Tensor]:
    """Accuracy and union accuracy of each frame.

    Args:
        true: zeros and ones, shape (..., D).
        sampled: zeros and ones, shape (..., D).

    Returns:
        TP / max(n_true, n_sampled) and TP / (TP + FP + FN), both of shape (...), in [0, 1]; 1 if both frames are empty.

    >>> frame_accuracy(torch.tensor([1.0, 1, 0, 0]), torch.tensor([1.0, 0, 1, 1]))
    (tensor(0.3333), tensor(0.2500))
    """
    hits = (true * sampled).sum(-1)
    n_true, n_sampled = true.sum(-1), sampled.sum(-1)
    larger, union = torch.maximum(n_true, n_sampled), n_true + n_sampled - hits
    nothing = larger == 0
    one = torch.ones_like(hits)
    return torch.where(nothing, one, hits / larger), torch.where(nothing, one, hits / union)


def score(network: Network, pieces: Pieces, sampling: torch.Generator | None = None, reported: bool = False) -> Scores:
    """Score a network of one trial on whole pieces, with the state carried through each piece.

    Args:
        network: one member, S = 1.
        pieces: to score.
        sampling: random numbers for the samples of the accuracy; None for log-likelihood only.
        reported: for output models that can only estimate the log-likelihood: True for a good estimate of every step,
            with its error; False for a quick one of a few steps, always the same, to choose between epochs and trials.
    """
    (scores,) = score_members(network, pieces, None if sampling is None else [sampling], reported)
    return scores


@torch.no_grad()
def score_members(
    network: Network, pieces: Pieces, sampling: Sequence[torch.Generator] | None = None, reported: bool = False
) -> list[Scores]:
    """Score every member of a stack on the same pieces, as `score`; with one generator for each member, or None."""
    S, output = len(network.trials), network.output
    wants_accuracy = sampling is not None and not output.symbols and pieces.scored is None
    sums: dict[str, Tensor] = {}

    def add(name: str, row_SN: Tensor, piece_N: Tensor) -> None:
        nothing = torch.zeros(S, len(pieces), dtype=torch.float64, device=row_SN.device)
        sums.setdefault(name, nothing).index_add_(1, piece_N, row_SN.double())

    if not (wants_accuracy or output.estimated or pieces.scored is not None):
        for values_SN, piece_N in likelihoods(network, pieces, LANES, LONGEST):
            add("log_likelihood", values_SN, piece_N)
        return [Scores(pieces.scored_lengths, sums_Q) for sums_Q in sums["log_likelihood"].cpu().numpy()]
    for stretch in () if output.estimated and not wants_accuracy else walk(network, pieces, LANES, LONGEST):
        rows = {} if output.estimated else {"log_likelihood": network.log_likelihood(stretch.states_S1NH, stretch.data)}
        if wants_accuracy and sampling is not None:
            accuracies = frame_accuracy(stretch.data, network.sample(stretch.states_S1NH, sampling))
            rows |= dict(zip(_ACCURACIES, accuracies, strict=True))
        if pieces.scored is not None and (right := network.right(stretch.states_S1NH, stretch.data)) is not None:
            rows["success"] = right
        for name, row in rows.items():
            add(name, row.flatten(1), stretch.piece_N)
    arrays = {name: rows_SQ.cpu().numpy() for name, rows_SQ in sums.items()}
    members = [{name: rows_SQ[s] for name, rows_SQ in arrays.items()} for s in range(S)]
    steps_Q = pieces.scored_lengths
    if not output.estimated:
        return [Scores(steps_Q, **values) for values in members]
    if not reported:
        monitored_Q, sums_SQ = monitor(network, pieces)
        return [Scores(monitored_Q, sums_Q, **values) for sums_Q, values in zip(sums_SQ, members, strict=True)]
    estimates = zip(*report(network, pieces), members, strict=True)
    return [Scores(steps_Q, sums_Q, log_likelihood_error=e_Q, **values) for sums_Q, e_Q, values in estimates]
