"""Sampling: a network that is given the beginning of a piece, and goes on by itself.

    x_t ~ P(x_t | h_{t-1}),   h_t = F(h_{t-1}, x_t)

Section 2 of arXiv:1212.0901, read as a generator. The beginning is put in as in training; then every step is drawn by
the output model from the state before it, and put in as the next input. The state is carried, so a step costs the same
however long the past is. Any core, any output model: they are met through `Network` alone.

What this does not do: choose a beginning, or make a file of what comes out.

Shape letters: S stacked trials, T time, B batch, D width of the data, H hidden, K values that are carried on.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.network import Network


@torch.no_grad()
def generate(network: Network, prefix: Tensor, steps: int, generators: Sequence[torch.Generator]) -> Tensor:
    """A beginning, and what the network makes of it.

    Equal generators give equal bits. There is no dropout: it belongs to training.

    Args:
        network: of S members.
        prefix: values (S, T, B, D) or symbols (S, T, B); of no step, T = 0, the network begins at its h_0.
        steps: how many are drawn.
        generators: one a member.

    Returns:
        The prefix and the steps behind it, of shape (S, T + steps, B, D) or (S, T + steps, B). Fewer steps where a
        state outgrew its type, as those of rectified units may on inputs of their own: nothing can be drawn from it.

    Raises:
        ValueError: the number of steps is negative.
    """
    if steps < 0:
        raise ValueError(f"steps: wants 0 or more, got {steps}")
    H = network.trial.hidden_size
    carried_SBK = network.start(None, torch.ones(prefix.shape[2], dtype=torch.bool, device=prefix.device))
    made, given = [prefix], prefix
    for _ in range(steps):
        if given.shape[1]:
            _, carried_SBK = network.states(given, carried_SBK)
        # The square, so that the products with the output's weights are finite too.
        if not carried_SBK.square().sum().isfinite():
            break
        given = network.sample(carried_SBK[..., :H].unsqueeze(1), generators)
        made.append(given)
    return torch.cat(made, dim=1)
