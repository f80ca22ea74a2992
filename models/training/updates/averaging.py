"""An exponential moving average of the parameters, which is scored and kept while the updates go on from the last ones.

    m_n = (1 - b) / (1 - b^n) * sum_{i=1..n} b^(n-i) theta_i

after n updates with the decay b: the weights of an exponential moving average, divided by their sum, so that neither
the parameters before the first update nor zeros count (as in Adam, arXiv:1412.6980, section 3). Updates are averaged,
not epochs: the average is over about the last 1 / (1 - b) of them. Polyak & Juditsky 1992 average all of them alike.

It is computed as m_n = m_{n-1} + (1 - b) / w_n * (theta_n - m_{n-1}) with w_n = b w_{n-1} + 1 - b = 1 - b^n.

Shape letters: S stacked trials, P parameters in a row.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

AVERAGE, WEIGHT = "average", "average_weight"
"""Names of m_n, (S, P), and of w_n, float64 (S, 1), in the state of an updater."""


def fresh_average(theta_SP: Tensor) -> dict[str, Tensor]:
    """m and w before the first update, by name."""
    weight_S1 = torch.zeros(len(theta_SP), 1, dtype=torch.float64, device=theta_SP.device)
    return {AVERAGE: torch.zeros_like(theta_SP), WEIGHT: weight_S1}


def average_(state: Mapping[str, Tensor], theta_SP: Tensor, decay: float) -> None:
    """Take the parameters after an update into m and w, in place.

    Args:
        state: of `fresh_average`, or what this made of it.
        theta_SP: the parameters, a member a row.
        decay: b, in (0, 1).

    >>> theta_SP = torch.tensor([[8.0]])
    >>> state = fresh_average(theta_SP)
    >>> average_(state, theta_SP, 0.5), average_(state, theta_SP - 6, 0.5), state["average"].item()
    (None, None, 4.0)
    """
    weight_S1 = state[WEIGHT]
    weight_S1.mul_(decay).add_(1 - decay)
    state[AVERAGE].lerp_(theta_SP, ((1 - decay) / weight_S1).to(theta_SP.dtype))


@contextmanager
def averaged(theta_SP: Tensor, state: Mapping[str, Tensor]) -> Iterator[Tensor]:
    """The averages in the place of the parameters, where the state of an updater has some; the parameters afterwards.

    Yields:
        What is in their place: the averages, which stay as they are, or the parameters themselves.

    >>> theta_SP = torch.tensor([[8.0]])
    >>> with averaged(theta_SP, {"average": torch.tensor([[4.0]])}) as scored_SP:
    ...     theta_SP.item()
    4.0
    >>> theta_SP.item(), scored_SP.item()
    (8.0, 4.0)
    """
    if AVERAGE not in state:
        yield theta_SP
        return
    last_SP = theta_SP.clone()
    theta_SP.copy_(state[AVERAGE])
    try:
        yield state[AVERAGE]
    finally:
        theta_SP.copy_(last_SP)
