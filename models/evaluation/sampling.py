"""Generate samples: a network reads the beginning of a piece and continues it.

    x_t ~ P(x_t | h_{t-1}),   h_t = F(h_{t-1}, x_t)

Section 2 of arXiv:1212.0901, used as a generator. The network first reads the prefix as in training. Then every step is
drawn from the output model given the state before it, and becomes the next input. The state is carried, so the cost of
a step does not depend on the length of the past. It works for every core and every output model, through `Network`.

What this does not do: choose a prefix, or write a file.

Shape letters: S stacked trials, T time, B batch, D width of the data, H hidden, K values that are carried from step to
step.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from models.network import Network


@torch.no_grad()
def generate(network: Network, prefix: Tensor, steps: int, generators: Sequence[torch.Generator]) -> Tensor:
    """A prefix, continued by the network.

    Equal generators give equal bits. There is no dropout, which is for training only.

    Args:
        network: of S members.
        prefix: values (S, T, B, D) or symbols (S, T, B); with T = 0 the network starts at its h_0.
        steps: number of steps to draw.
        generators: one for each member.

    Returns:
        The prefix and the drawn steps, of shape (S, T + steps, B, D) or (S, T + steps, B). There are fewer steps if a
        state overflows, as rectified units may on their own samples, since nothing can be drawn from it.

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
