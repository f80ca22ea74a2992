"""The logits of NADE given the notes of the frames: plain torch, on any device, differentiable backward and forward.

Larochelle & Murray (AISTATS 2011), for a frame v with biases b and c of its own, V and W of the member:

    a_1 = c,    z_i = b_i + V_i . sigmoid(a_i),    a_{i+1} = a_i + W_i v_i

The hidden units change only after a note that is on. So a frame with k notes has only k + 1 different vectors of hidden
units, called its rows, instead of D. All rows of all frames go through one product with V, and note i reads the row
that follows the notes before i. Frames are sorted by their number of notes, so that all rows after the k-th note (level
k) belong to the first frames of the order, and are computed from level k - 1 by one addition.

Every operation here has a forward-mode tangent, as a Gauss-Newton product needs.

Shape letters: N frames, D notes, U hidden units of NADE, M rows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """The layout of the rows of some frames: level by level; level k has a row for each frame with at least k notes."""

    order_N: Tensor
    """The frames, sorted by falling number of notes."""
    notes: tuple[Tensor, ...]
    """The k-th note of each frame of level k, from k = 1."""
    row_ND: Tensor
    """Index of the row that each note reads."""

    @classmethod
    def of(cls, data_ND: Tensor) -> "Rows":
        """The rows of frames of zeros and ones."""
        on_ND = data_ND != 0
        count_N = on_ND.sum(1)
        order_N = count_N.argsort(descending=True, stable=True)
        count_N = count_N[order_N]
        note_of = on_ND[order_N].nonzero()[:, 1]
        first_N = count_N.cumsum(0) - count_N
        sizes = [len(count_N)]
        notes = []
        for k in range(int(count_N[0])):
            level = int((count_N > k).sum())
            notes.append(note_of[first_N[:level] + k])
            sizes.append(level)
        starts = torch.tensor([0, *sizes], device=data_ND.device).cumsum(0)
        before_ND = on_ND.cumsum(1) - on_ND.long()
        row_ND = starts[before_ND] + order_N.argsort().unsqueeze(1)
        return cls(order_N, tuple(notes), row_ND)

    def units(self, c_NU: Tensor, W_DU: Tensor) -> Tensor:
        """a of every row, shape (M, U); linear in both, and differentiable."""
        levels = [c_NU.index_select(0, self.order_N)]
        for note in self.notes:
            levels.append(levels[-1][: len(note)] + W_DU.index_select(0, note))
        return torch.cat(levels)

    def read(self, values_MD: Tensor) -> Tensor:
        """For every note, the value in the row that it reads, shape (N, D)."""
        return values_MD.gather(0, self.row_ND)

    def read_transposed(self, d_ND: Tensor) -> Tensor:
        """The transpose of `read`, shape (M, D); outside autograd."""
        count = len(self.order_N) + sum(len(note) for note in self.notes)
        return d_ND.new_zeros(count, d_ND.shape[1]).scatter_(0, self.row_ND, d_ND)

    def units_transposed(self, d_MU: Tensor, d_W_DU: Tensor) -> Tensor:
        """The transpose of `units`, outside autograd: returns the gradient in c, (N, U); adds that in W to `d_W_DU`.

        Args:
            d_MU: gradient in a of every row; overwritten by its sums over all later rows of the frame.
            d_W_DU: changed in place.
        """
        levels = d_MU.split_with_sizes([len(self.order_N), *(len(note) for note in self.notes)])
        for before, after in zip(levels[-2::-1], levels[:0:-1], strict=True):
            before[: len(after)] += after
        if self.notes:
            d_W_DU.index_add_(0, torch.cat(self.notes), d_MU[len(self.order_N) :])
        return torch.empty_like(levels[0]).index_copy_(0, self.order_N, levels[0])


def logits_of_member(b_ND: Tensor, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor, data_ND: Tensor) -> Tensor:
    """z of every note of every frame, shape (N, D), in the given order of notes.

    Args:
        b_ND, c_NU: the biases of each frame.
        V_DU: row i has the weights of the hidden units in note i.
        W_DU: row i is added to the hidden units if note i is on.
        data_ND: zeros and ones.
    """
    rows = Rows.of(data_ND)
    return b_ND + rows.read(torch.sigmoid(rows.units(c_NU, W_DU)) @ V_DU.T)
