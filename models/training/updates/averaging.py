"""An exponential moving average of the parameters. It is scored and kept; the updates continue from the parameters.

    m_n = (1 - b) / (1 - b^n) * sum_{i=1..n} b^(n-i) theta_i

after n updates with the decay b. The weights are divided by their sum, so that neither the initial parameters nor zeros
count (as in Adam, arXiv:1412.6980, section 3). The average is over updates, not epochs: over about the last 1 / (1 - b)
of them. Polyak & Juditsky 1992 average all updates with equal weights.

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
    """Update m and w with the parameters after an update, in place.

    Args:
        state: from `fresh_average`; changed in place.
        theta_SP: the parameters, one row for each member.
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
    """Replace the parameters by their averages during the block, if the updater's state has averages.

    Yields:
        The averages, which do not change; or the parameters themselves if there are none.

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
