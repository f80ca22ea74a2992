"""NADE: each note given the notes below it in the frame, and the state.

Larochelle & Murray (AISTATS 2011); its biases follow the recurrent state, as in the RNN-NADE of arXiv:1206.6392:

    b(t) = b + W_hv h_{t-1},    c(t) = c + W_hc h_{t-1},    a_1 = c(t)
    p(v_i = 1 | v_1 ... v_{i-1}) = sigmoid(z_i),  z_i = b_i(t) + V_i . sigmoid(a_i),    a_{i+1} = a_i + W_i v_i

The likelihood is exact. Notes come in the order of their pitch, or in another given order.

Initialisation: b is the log-odds of each note in train and V = 0, so that training starts from the count baseline, as
with the other output models; V has a gradient from the first update on. W is normal with variance 1 / (mean number of
notes in a frame), like the input weights of the cores, so that the sum over the notes of a frame has unit variance.
W_hv and W_hc are normal with standard deviation 1/sqrt(H), and c = 0.

Shape letters: S stacked trials, T time, B batch, N frames, D notes, H hidden, U hidden units of NADE.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.nn.functional import softplus

from models.data_kinds import Kind
from models.outputs.base import Settings, affine
from models.outputs.logits import LogitOutput, Product, bernoulli_curvature
from models.outputs.nade import native
from models.outputs.nade.linearised import LinearisedNade
from models.outputs.nade.rows import logits_of_member
from models.randomness import Draws, uniform_like


@dataclass(frozen=True)
class NadeSettings(Settings):
    """Hyper-parameters of NADE.

    Attributes:
        units: number of hidden units U.
        order: index in the data of the first note, the second, ...; empty for the order of pitch.

    Raises:
        ValueError: there is no unit, or the order is not a permutation.
    """

    units: int = 100
    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.units, int) or self.units < 1:
            raise ValueError(f"nade units: wants an integer from 1, got {self.units!r}")
        order = tuple(self.order)  # JSON gives a list
        if sorted(map(repr, order)) != sorted(map(repr, range(len(order)))):
            raise ValueError(
                f"nade order: wants each of 0 to D - 1 once, for D notes, got {len(order)} that are no permutation"
            )
        object.__setattr__(self, "order", order)

    @classmethod
    def draw(cls, draws: Draws, kind: Kind) -> Self:
        """50 to 200 units, in the order of pitch.

        The paper leaves the number open. The range is around the 88 notes of a frame: half as many units still
        distinguish chords, and with 200 units a step costs about as much as the recurrent layer.
        """
        return cls(draws.integer("nade_units", 50, 200))


@dataclass(frozen=True)
class Nade(LogitOutput):
    """Notes one after another, each given the ones before it.

    Raises:
        ValueError: the order has another number of notes.
    """

    name: ClassVar[str] = "nade"
    symbols: ClassVar[bool] = False
    settings_type: ClassVar[type[Settings]] = NadeSettings
    settings: NadeSettings = NadeSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.settings.order and len(self.settings.order) != self.width:
            raise ValueError(
                f"nade order: wants the {self.width} notes of the data, got {len(self.settings.order)} places"
            )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Weights from states to notes and to hidden units, with biases; from hidden units to notes (V); back (W)."""
        H, D, U = self.hidden_size, self.width, self.settings.units
        return {
            "output_weight": (H, D),
            "output_bias": (D,),
            "hidden_weight": (H, U),
            "hidden_bias": (U,),
            "from_hidden": (D, U),
            "to_hidden": (D, U),
        }

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        """Biases at the log-odds of the notes, zero weights from the hidden units, other weights small and random."""
        for name in ("output_weight", "hidden_weight"):
            parameters[name].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        parameters["to_hidden"].normal_(0.0, max(float(frequency_D.sum()), 1.0) ** -0.5, generator=generator)
        parameters["from_hidden"].zero_()
        parameters["hidden_bias"].zero_()
        parameters["output_bias"].copy_(torch.logit(frequency_D))

    def logits(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """z of every note given those before it in `data`, shape (S, T, B, D); backward and forward mode.

        Raises:
            ValueError: shape or type of the data do not match the states.
        """
        self._check(states_STBH, data)
        order = self._order(data.device)
        biases = affine(parameters, states_STBH), _hidden_biases(parameters, states_STBH)
        weights = parameters["from_hidden"], parameters["to_hidden"]
        members = []
        for b_TBD, c_TBU, V_DU, W_DU, data_TBD in zip(*biases, *weights, data, strict=True):
            b_ND, c_NU, data_ND = b_TBD.flatten(0, 1), c_TBU.flatten(0, 1), data_TBD.flatten(0, 1)
            if order is None:
                z_ND = logits_of_member(b_ND, c_NU, V_DU, W_DU, data_ND)
            else:
                turned = logits_of_member(b_ND[:, order], c_NU, V_DU[order], W_DU[order], data_ND[:, order])
                z_ND = turned[:, order.argsort()]
            members.append(z_ND)
        return torch.stack(members).view(data.shape)

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        """sum_i v_i z_i - log(1 + e^{z_i}), accurate for every z; nats for each frame; backward mode only.

        Raises:
            ValueError: shape or type of the data do not match the states.
        """
        self._check(states_STBH, data)
        if native.serves(states_STBH.device, states_STBH.dtype):
            log_likelihood_SN = native.log_likelihood(
                b_SND=affine(parameters, states_STBH).flatten(1, 2),
                c_SNU=_hidden_biases(parameters, states_STBH).flatten(1, 2),
                V_SDU=parameters["from_hidden"],
                W_SDU=parameters["to_hidden"],
                data_SND=data.flatten(1, 2),
                order=self.settings.order,
            )
            return log_likelihood_SN.view(data.shape[:-1])
        logits = self.logits(parameters, states_STBH, data)
        return (data * logits - softplus(logits)).sum(-1)

    def curvature(self, logits: Tensor) -> Product:
        """diag(p (1 - p)) over the notes, with p given the notes before."""
        return bernoulli_curvature(logits)

    def linearised(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> LinearisedNade:
        """By NADE's own formula; values that do not depend on the direction are kept.

        Raises:
            ValueError: shape or type of the data do not match the states.
        """
        self._check(states_STBH, data)
        return LinearisedNade(parameters, states_STBH, data, self.settings.order)

    @torch.no_grad()
    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Draw note after note, each given the notes drawn before it."""
        b_STBD = affine(parameters, states_STBH)
        a_SNU = _hidden_biases(parameters, states_STBH).flatten(1, 2)
        drawn = uniform_like(b_STBD, generators)
        uniform_SND, b_SND, drawn_SND = drawn.flatten(1, 2), b_STBD.flatten(1, 2), drawn.flatten(1, 2)
        V_SDU, W_SDU = parameters["from_hidden"], parameters["to_hidden"]
        for i in self.settings.order or range(self.width):
            z_SN = b_SND[..., i] + torch.einsum("snu,su->sn", torch.sigmoid(a_SNU), V_SDU[:, i])
            note_SN = (uniform_SND[..., i] < torch.sigmoid(z_SN)).to(b_SND.dtype)
            drawn_SND[..., i] = note_SN
            a_SNU += note_SN.unsqueeze(-1) * W_SDU[:, i].unsqueeze(1)
        return drawn

    def _order(self, device: torch.device) -> Tensor | None:
        order = self.settings.order
        return torch.tensor(order, device=device) if order and order != tuple(range(self.width)) else None

    def _check(self, states_STBH: Tensor, data: Tensor) -> None:
        wanted = (*states_STBH.shape[:3], self.width)
        if data.shape != wanted or data.dtype != states_STBH.dtype:
            raise ValueError(
                f"data: wants {states_STBH.dtype} of shape {wanted} to go with the states, got {data.dtype} of shape"
                f" {tuple(data.shape)}"
            )


def _hidden_biases(parameters: Mapping[str, Tensor], states_STBH: Tensor) -> Tensor:
    """c + W_hc h for every state, shape (S, T, B, U)."""
    S, T, B, H = states_STBH.shape
    weight, bias = parameters["hidden_weight"], parameters["hidden_bias"]
    flat = torch.baddbmm(bias.unsqueeze(1), states_STBH.reshape(S, T * B, H), weight)
    return flat.view(S, T, B, -1)
