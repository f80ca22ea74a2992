"""The numbers of two figures: clipping of an update, and a value in a leaky unit, computed by the code of training.

What this does not do: draw (`charts/lessons.py`), or use results of a campaign.
"""

from collections.abc import Mapping

import torch

from models.core.scan import reference
from models.techniques.clipping import clip_

THRESHOLD = 15.0
"""The paper's clipping threshold for music."""
RETENTIONS: Mapping[str, float] = {
    "no leak": 0.0,
    "retention 0.2": 0.2,
    "update rate 0.2": 0.8,
    "update rate 0.02": 0.98,
}
"""The ends of the paper's interval of a, (0.02, 0.2), in its two readings; a retention of 0.02 looks like no leak."""
STEPS = 50
SENTENCES: Mapping[str, str] = {
    "C": "Where a gradient is longer than a threshold it is cut to that length, and its direction stays: "
    "one huge gradient can no longer throw the network far away.",
    "L": "Some units keep a share of their old value at each step, "
    "so that what they hold fades slowly and later errors reach further back.",
    "R": "A unit is zero unless its input is positive, and a small price on every value keeps most units at rest: "
    "each step then concerns few of them.",
    "M": "Updates gather speed along a direction that lasts, "
    "and the gradient is taken where that speed leads to, not where the network is.",
}
"""What each technique of the paper does, by its letter."""
_PARAMETERS = 8


def clipped_norms(norms: list[float]) -> list[float]:
    """The norm of a gradient of each of these norms after `models.techniques.clipping.clip_` at `THRESHOLD`."""
    norm_S1 = torch.tensor(norms, dtype=torch.float64)[:, None]
    direction_1P = torch.arange(1.0, _PARAMETERS + 1, dtype=torch.float64)[None]
    gradient_SP = norm_S1 * direction_1P / direction_1P.norm()
    clip_(gradient_SP, norm_S1, THRESHOLD)
    return list(map(float, gradient_SP.norm(dim=1)))


def values_left(retention: float) -> list[float]:
    """The part of a unit's value of 1 after 0 ... `STEPS` steps without an input: a^t, as the scan computes it.

    Args:
        retention: a, in [0, 1).
    """
    none_STBH = torch.zeros(1, STEPS, 1, 1, dtype=torch.float64)
    start_SBH, weights_SHH = none_STBH.new_ones(1, 1, 1), none_STBH.new_zeros(1, 1, 1)
    retention_SH = none_STBH.new_full((1, 1), retention)
    states_STBH, _ = reference.forward(none_STBH, start_SBH, weights_SHH, retention_SH, "tanh")
    return [1.0, *map(float, states_STBH.flatten())]
