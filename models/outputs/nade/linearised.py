"""NADE linearised at given parameters, states and data: Jacobian products of the logits, by matrix products.

Let s be the sigmoids of the rows of hidden units (`rows.py`), f = s (1 - s), and P the operator that selects for note i
of a frame the row that it reads. Then

    z' = b' + P (s V'^T + (f a') V^T),    a' = the rows of c' and W'
    d_V = (P^T d)^T s,    d_a = f ((P^T d) V),    d_c, d_W = the transpose of the rows on d_a

At fixed data and parameters, s and P do not depend on the direction, and are kept: for a frame with k notes these are
(k + 1) U numbers and D indices. Temporary memory of a product is that of one block of frames. With the native kernel,
`nade.cpp` computes both products, and only data and c are kept.

Outside autograd. Shape letters: S stacked trials, T time, B batch, N frames, D notes, H hidden, U hidden units of NADE,
M rows.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from models.outputs.logits import AffineLogits
from models.outputs.nade import native
from models.outputs.nade.rows import Rows

FRAMES = 1024
"""Number of frames in a block."""


class LinearisedNade:
    """The logits of `nade.py` at these parameters, states and data.

    Args:
        parameters: of the output model, by name.
        states_STBH: the state that each step is predicted from.
        data: the frames, (S, T, B, D).
        order: of the notes, as in NADE's settings.

    Attributes:
        logits: z, shape (S, T, B, D).
    """

    def __init__(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor, order: Sequence[int]):
        self._b, self._c = AffineLogits(parameters, states_STBH), AffineLogits(_of_hidden(parameters), states_STBH)
        units = native.NativeUnits if native.serves(data.device, data.dtype) else TorchUnits
        V_SDU, W_SDU = parameters["from_hidden"].detach(), parameters["to_hidden"].detach()
        self._units = units(self._c.logits.flatten(1, 2), V_SDU, W_SDU, data.flatten(1, 2), order)
        self.logits = self._b.logits.add_(self._units.logits().view(data.shape))

    def tangent(self, moved: Mapping[str, Tensor], moved_states_STBH: Tensor) -> Tensor:
        """The Jacobian product: z' for a direction of the parameters and of the states."""
        z_STBD = self._b.tangent(moved, moved_states_STBH)
        c_SNU = self._c.tangent(_of_hidden(moved), moved_states_STBH).flatten(1, 2)
        return z_STBD.add_(self._units.tangent(c_SNU, moved["from_hidden"], moved["to_hidden"]).view(z_STBD.shape))

    def gradient(self, d_logits: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The transposed product: gradients in the parameters by name, and in the states."""
        d_c_SNU, d_V_SDU, d_W_SDU = self._units.gradient(d_logits.flatten(1, 2))
        gradients, d_states_STBH = self._b.gradient(d_logits)
        by_c, d_states_by_c = self._c.gradient(d_c_SNU.view(*d_logits.shape[:-1], -1))
        gradients |= {"hidden_weight": by_c["output_weight"], "hidden_bias": by_c["output_bias"]}
        return gradients | {"from_hidden": d_V_SDU, "to_hidden": d_W_SDU}, d_states_STBH.add_(d_states_by_c)


def _of_hidden(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters of c, renamed, since c is affine in the states just as b is."""
    return {"output_weight": parameters["hidden_weight"], "output_bias": parameters["hidden_bias"]}


class TorchUnits:
    """The hidden units' part of the logits, as a function of c, V and W, on any device; as `NativeUnits`.

    Args:
        c_SNU, V_SDU, W_SDU, data_SND: the point of linearisation, and the frames.
        order: of the notes.
    """

    def __init__(self, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor, data_SND: Tensor, order: Sequence[int]):
        self._order = torch.tensor(order or range(data_SND.shape[-1]), device=data_SND.device)
        self._V_SDU = V_SDU[:, self._order]
        members = zip(c_SNU, self._V_SDU, W_SDU[:, self._order], data_SND[..., self._order], strict=True)
        self._members = [_Member(*member) for member in members]

    def logits(self) -> Tensor:
        """P (s V^T), shape (S, N, D)."""
        return self._turned([member.logits() for member in self._members])

    def tangent(self, c_SNU: Tensor, V_SDU: Tensor, W_SDU: Tensor) -> Tensor:
        """P (s V'^T + (f a') V^T), shape (S, N, D)."""
        moved = zip(self._members, c_SNU, V_SDU[:, self._order], W_SDU[:, self._order], strict=True)
        return self._turned([member.tangent(c_NU, V_DU, W_DU) for member, c_NU, V_DU, W_DU in moved])

    def gradient(self, d_SND: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The transpose: gradients of c, V and W."""
        members = zip(self._members, d_SND[..., self._order], strict=True)
        found = [member.gradient(d_ND) for member, d_ND in members]
        d_c_SNU, *d_turned = (torch.stack(each) for each in zip(*found, strict=True))
        d_V_SDU, d_W_SDU = (torch.empty_like(d_SDU).index_copy_(1, self._order, d_SDU) for d_SDU in d_turned)
        return d_c_SNU, d_V_SDU, d_W_SDU

    def _turned(self, members: list[Tensor]) -> Tensor:
        """The logits of all members, with the notes back in the data's order."""
        z_SND = torch.stack(members)
        return torch.empty_like(z_SND).index_copy_(2, self._order, z_SND)


class _Member:
    """The same for one member, with the notes in NADE's order."""

    def __init__(self, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor, data_ND: Tensor):
        self._V_DU = V_DU
        self._blocks: list[tuple[Rows, Tensor]] = []
        for c, data in zip(_blocks(c_NU), _blocks(data_ND), strict=True):
            rows = Rows.of(data)
            self._blocks.append((rows, torch.sigmoid(rows.units(c, W_DU))))

    def logits(self) -> Tensor:
        return torch.cat([rows.read(s_MU @ self._V_DU.T) for rows, s_MU in self._blocks])

    def tangent(self, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor) -> Tensor:
        read = []
        for (rows, s_MU), c in zip(self._blocks, _blocks(c_NU), strict=True):
            moved_MU = rows.units(c, W_DU).mul_(s_MU - s_MU * s_MU)
            read.append(rows.read((s_MU @ V_DU.T).addmm_(moved_MU, self._V_DU.T)))
        return torch.cat(read)

    def gradient(self, d_ND: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        d_V_DU, d_W_DU, d_c = torch.zeros_like(self._V_DU), torch.zeros_like(self._V_DU), []
        for (rows, s_MU), d in zip(self._blocks, _blocks(d_ND), strict=True):
            d_MD = rows.read_transposed(d)
            d_V_DU.addmm_(d_MD.T, s_MU)
            d_MU = (d_MD @ self._V_DU).mul_(s_MU - s_MU * s_MU)
            d_c.append(rows.units_transposed(d_MU, d_W_DU))
        return torch.cat(d_c), d_V_DU, d_W_DU


def _blocks(values: Tensor) -> Iterable[Tensor]:
    return (values[first : first + FRAMES] for first in range(0, len(values), FRAMES))
