"""Small Boltzmann machines by enumeration: every frame and every state of the units, from the definition."""

import itertools

import torch
from torch import Tensor

from models.outputs.rbm.machine import Machines


def everything(width: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Every vector of zeros and ones, (2^width, width)."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=width)), dtype=dtype)


def machines(members: int, count: int, notes: int, units: int, seed: int = 0, scale: float = 1.0) -> Machines:
    """Machines in float64 with no bias and no coupling at a special value."""
    random = torch.Generator().manual_seed(seed)
    shapes = (members, count, notes), (members, count, units), (members, units, notes)
    visible, hidden, coupling = (torch.randn(shape, generator=random, dtype=torch.float64) for shape in shapes)
    return Machines(visible, hidden, scale * coupling)


def log_joint(of: Machines, member: int, machine: int) -> Tensor:
    """b_v'v + b_h'h + h'Wv of every v (rows) and every h (columns) of one machine."""
    b_v, b_h, W = of.visible_SND[member, machine], of.hidden_SNU[member, machine], of.coupling_SUD[member]
    v, h = everything(len(b_v), W.dtype), everything(len(b_h), W.dtype)
    return (v @ b_v)[:, None] + (h @ b_h)[None, :] + v @ W.T @ h.T


def log_partition(of: Machines) -> Tensor:
    """log Z of every machine, (S, N)."""
    S, N, _ = of.visible_SND.shape
    rows = [torch.stack([log_joint(of, s, n).flatten().logsumexp(0) for n in range(N)]) for s in range(S)]
    return torch.stack(rows)
