"""Count baselines: predictions that ignore the past of a step. They are rows of every report.

    uniform            every note is on with probability 1/2, or every symbol is equally likely
    one-probability    one probability for all notes, their mean in train
    note-probability   one probability for each note, (count + 1) / (frames + 2)
    unigram            one probability for each symbol, (count + 1) / (symbols + vocabulary)
    mean               for sequences that end with a number: always the mean of train

Only scored steps are counted, in train and in the scored split.

Section 3 of the specification fixes the values of the first three on the official rolls.

Shape letters: N steps, D notes or symbols.
"""

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.data.frequencies import frequencies
from models.evaluation.metrics import Scores, frame_accuracy
from models.outputs.gaussian import TOLERANCE, GaussianSettings, gaussian_log_density


def baselines(train: Pieces, width: int) -> dict[str, Tensor]:
    """Probabilities (D,), float64, of every baseline for that kind of data, by name."""
    frequency_D = frequencies(train, width)
    if not train.data.is_floating_point():
        return {"uniform": torch.full((width,), 1 / width, dtype=torch.float64), "unigram": frequency_D}
    mean = train.data.mean(dtype=torch.float64)
    return {
        "uniform": torch.full((width,), 0.5, dtype=torch.float64),
        "one-probability": mean.expand(width),
        "note-probability": frequency_D,
    }


def score_baseline(probability_D: Tensor, pieces: Pieces, sampling: torch.Generator) -> Scores:
    """Score a baseline with one probability for each note or symbol, the same at every step."""
    log_likelihood_N = _log_likelihood(probability_D, pieces)
    if not pieces.data.is_floating_point():
        nats = _per_piece(log_likelihood_N, pieces)
        return Scores(pieces.scored_lengths, nats, success=_guessed(probability_D, pieces))
    on = pieces.scored_data.double()
    sampled = torch.rand(on.shape, generator=sampling, dtype=torch.float64) < probability_D
    accuracy_N, union_N = frame_accuracy(on, sampled.double())
    rows = (log_likelihood_N, accuracy_N, union_N)
    return Scores(pieces.scored_lengths, *(_per_piece(row, pieces) for row in rows))


def counting(train: Pieces, pieces: Pieces, width: int) -> float | None:
    """Mean log-likelihood of the count baseline on other pieces, in nats per step.

    The baseline is `note-probability` or `unigram`. A network that is no better has learned nothing from the past. None
    if only the last step of a piece is scored: in such a task chance level is an expected result.

    Args:
        train: pieces to count in.
        pieces: pieces to score.
        width: notes or symbols D.
    """
    if pieces.scored is not None:
        return None
    return _log_likelihood(frequencies(train, width).to(pieces.data.device), pieces).mean().item()


def _log_likelihood(probability_D: Tensor, pieces: Pieces) -> Tensor:
    """Log-likelihood in nats of each scored step, (N,), with one probability for each note or symbol."""
    if not pieces.data.is_floating_point():
        return probability_D.log()[pieces.scored_data]
    on = pieces.scored_data.double()
    return on @ probability_D.log() + (1 - on) @ torch.log1p(-probability_D)


def score_mean(train: Pieces, pieces: Pieces) -> Scores:
    """Score the mean answer of train as the prediction of every scored step, with the Gaussian output's deviation."""
    error_N = pieces.scored_data[:, -1].double() - train.scored_data[:, -1].double().mean()
    nats_N = gaussian_log_density(error_N, GaussianSettings().deviation)
    right_N = (error_N.abs() < TOLERANCE).double()
    return Scores(pieces.scored_lengths, _per_piece(nats_N, pieces), success=_per_piece(right_N, pieces))


def _guessed(probability_D: Tensor, pieces: Pieces) -> np.ndarray | None:
    """Right guesses of the most likely symbol (ties at random) in each piece; None if every step is scored."""
    if pieces.scored is None:
        return None
    guess_D = (probability_D == probability_D.max()).double()
    return _per_piece((guess_D / guess_D.sum())[pieces.scored_data], pieces)


def _per_piece(values_N: Tensor, pieces: Pieces) -> np.ndarray:
    """Sums over the scored steps of each piece; every piece has at least one."""
    ends = np.cumsum(pieces.scored_lengths)
    return np.add.reduceat(values_N.numpy(), np.concatenate([[0], ends[:-1]]))
