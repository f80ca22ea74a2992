"""What a model scores, as the specification pins it: sums for every piece, pooled at the end.

Log-likelihood: nats of a whole step, the first step of a piece included, averaged over all steps of all pieces.
Accuracy: of one sample s_t given the true past, TP / max(n_true, n_sampled) with 0/0 := 1, averaged over all
frames; this formula, not the union one, gives the published columns. The union formula TP / (TP + FP + FN)
stands beside it. Where only some steps are scored, those alone are counted, and success is the share of them of which
the output model's best guess is right. Sums are kept in float64.

Shape letters: S stacked trials, T time, B batch, N frames, D notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.chunks import Pieces, chunks
from models.network import Network

LANES, LONGEST = 64, 128


@dataclass(frozen=True)
class Scores:
    """Sums over the steps of each piece, float64, in the order of the pieces.

    Attributes:
        steps: number of scored frames or symbols.
        log_likelihood: nats.
        accuracy, union_accuracy: of one sample a frame; None for text.
        success: how many guesses are right; None where every step is scored.
    """

    steps: np.ndarray
    log_likelihood: np.ndarray
    accuracy: np.ndarray | None = None
    union_accuracy: np.ndarray | None = None
    success: np.ndarray | None = None

    @property
    def mean_log_likelihood(self) -> float:
        """Nats a step, pooled over all pieces."""
        return float(self.log_likelihood.sum() / self.steps.sum())


def frame_accuracy(true: Tensor, sampled: Tensor) -> tuple[Tensor, Tensor]:
    """Accuracy and union accuracy of each frame.

    Args:
        true: zeros and ones, shape (..., D).
        sampled: the same.

    Returns:
        TP / max(n_true, n_sampled) and TP / (TP + FP + FN), both of shape (...), in [0, 1], 1 where both are empty.

    >>> frame_accuracy(torch.tensor([1.0, 1, 0, 0]), torch.tensor([1.0, 0, 1, 1]))
    (tensor(0.3333), tensor(0.2500))
    """
    hits = (true * sampled).sum(-1)
    n_true, n_sampled = true.sum(-1), sampled.sum(-1)
    larger, union = torch.maximum(n_true, n_sampled), n_true + n_sampled - hits
    nothing = larger == 0
    one = torch.ones_like(hits)
    return torch.where(nothing, one, hits / larger), torch.where(nothing, one, hits / union)


def score(network: Network, pieces: Pieces, sampling: torch.Generator | None = None) -> Scores:
    """Score a network of one trial on whole pieces, the state carried through each of them.

    Args:
        network: one member, S = 1.
        pieces: what to score.
        sampling: random numbers of the samples for the accuracy; None for log-likelihood alone.
    """
    (scores,) = score_members(network, pieces, None if sampling is None else [sampling])
    return scores


@torch.no_grad()
def score_members(network: Network, pieces: Pieces, sampling: Sequence[torch.Generator] | None = None) -> list[Scores]:
    """Score every member of a stack on the same pieces, see `score`; with a generator a member, or none."""
    S = len(network.trials)
    wants_accuracy = sampling is not None and not network.output.symbols and pieces.scored is None
    sums: dict[str, Tensor] = {}
    # Longest first: lanes then end together, and little is padded.
    order = np.argsort(-pieces.lengths, kind="stable")
    carried = None
    for chunk in chunks(pieces, order.tolist(), LANES, LONGEST):
        data = chunk.inputs.expand(S, *chunk.data.shape)
        states_STBH, carried = network.states(data, network.start(carried, chunk.fresh_B))
        if not chunk.steps:
            continue
        before, real = chunk.real(states_STBH[:, :-1]), chunk.real(data)
        rows = {"log_likelihood": network.log_likelihood(before, real)}
        if wants_accuracy and sampling is not None:
            rows["accuracy"], rows["union_accuracy"] = frame_accuracy(real, network.sample(before, sampling))
        if pieces.scored is not None and (right := network.right(before, real)) is not None:
            rows["success"] = right
        piece_N = torch.from_numpy(chunk.piece_B).to(chunk.real_N.device)[chunk.real_N % len(chunk.piece_B)]
        for name, row in rows.items():
            nothing = torch.zeros(S, len(pieces), dtype=torch.float64, device=row.device)
            sums.setdefault(name, nothing).index_add_(1, piece_N, row.flatten(1).double())
    told = {name: rows_SP.cpu().numpy() for name, rows_SP in sums.items()}
    return [Scores(pieces.scored_lengths, **{name: rows_SP[s] for name, rows_SP in told.items()}) for s in range(S)]
