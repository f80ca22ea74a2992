"""Diagnostics of why a network is easy or hard to train: how far back its gradients reach, and how sparse they are.

Sections 2 and 3 of arXiv:1212.0901. The gradient of a loss in an earlier state is a product of Jacobians, one for each
step between them. If the Jacobians shrink vectors, the gradient vanishes and distant steps are not learned from; if
they stretch them, it explodes. A leaky unit passes a part of the gradient on unchanged, a rectified unit all of it or
nothing.

All measurements use one probe, the beginnings of a few validation pieces, the same for every trial and every seed on a
corpus. No parameter is changed, and no random number of a trial is used, so that training gives the same bits with and
without diagnostics. If the likelihood is estimated, its chains have random numbers of their own, always the same. A
trial is measured twice, at its start and at its best weights. Gated cores are unrolled step by step under autograd,
which is slower than the scan.

What this does not do: look at updates. The norms of their gradients, the share of clipped updates and the relative size
of steps are in the learning curve (`models/training/progress.py`).

Shape letters: S stacked trials, T time, B lanes, H hidden, G values that a step computes for each lane, K values that
are carried from step to step, P parameters in a row.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Pieces
from models.network import Network
from models.randomness import generator_for

LAGS = 50
"""The longest lag; the probe has one step more, if the pieces are long enough."""
LANES = 16
SQUARINGS = 10

Moment = Literal["start", "best"]


@dataclass(frozen=True)
class Diagnosis:
    """The measurements of one network.

    Attributes:
        moment: `start` for the initial network, `best` for the weights of its best epoch.
        epoch: passes over train until then.
        gradient_norms: for each lag k = 0, 1, ... the norm of dL / d(values carried k steps before the last ones),
            averaged over the lanes. L is the cost in nats of the probe's last step; lag 0 is the state that predicts
            that step.
        zero_states: share of the states that are exactly 0.
        zero_gradients: share of the gradients dL / d(pre-activation of a unit or a gate) that are exactly 0, over all
            steps.
        spectral_radius: largest absolute eigenvalue of the recurrent matrix; None for gated cores, which have several
            matrices, and for a core without memory.
    """

    moment: Moment
    epoch: int
    gradient_norms: tuple[float, ...]
    zero_states: float
    zero_gradients: float
    spectral_radius: float | None


def probe_of(pieces: Pieces) -> Tensor:
    """The probe, (T, B, D) or (T, B): the beginnings of pieces that are spread evenly over a split.

    If not all steps are scored, the probe has the ends of the pieces instead, so that its last step is a scored one. T
    is `LAGS` + 1, or the length of the longest piece if that is less. B is at most `LANES`; only pieces with T steps
    are used.
    """
    length = min(LAGS + 1, int(pieces.lengths.max()))
    enough = np.flatnonzero(pieces.lengths >= length)
    chosen = enough[np.linspace(0, len(enough) - 1, min(LANES, len(enough))).astype(int)]
    first_B = pieces.starts[chosen] if pieces.scored is None else pieces.starts[chosen + 1] - length
    places_TB = first_B + np.arange(length)[:, None]
    return pieces.data[torch.from_numpy(places_TB).to(pieces.data.device)]


def diagnose(
    network: Network,
    theta_SP: Tensor,
    retention_SH: Tensor | None,
    probe: Tensor,
    moment: Moment,
    epochs: list[int],
) -> list[Diagnosis]:
    """Measure the members of a stack, with a single synchronisation with the device.

    Args:
        network: gives the core and the output model; its own parameters are not used.
        theta_SP: the parameters to measure, one row for each member.
        retention_SH: retention of each unit of these members; None if no unit leaks.
        probe: from `probe_of`.
        moment: for the record.
        epochs: the epoch of each member, for the record.
    """
    if theta_SP.device.type == "cpu" and len(theta_SP) > 1:
        # One after the other in memory of its own, since a batched product rounds differently: same bits as alone.
        found = []
        for s, epoch in enumerate(epochs):
            retention = None if retention_SH is None else retention_SH[s : s + 1].clone()
            found += diagnose(network, theta_SP[s : s + 1].clone(), retention, probe, moment, [epoch])
        return found
    parameters = network.named | network.parameters.split(theta_SP.detach())
    norms_ST, zero_states_S, zero_gradients_S = _gradients(network, parameters, retention_SH, probe)
    radii: list[float | None] = [None] * len(theta_SP)
    if network.core.remembers and not network.core.gated:
        radii = list(spectral_radius(parameters["recurrent_weight"]).tolist())
    rows = zip(epochs, norms_ST.tolist(), zero_states_S.tolist(), zero_gradients_S.tolist(), radii, strict=True)
    return [Diagnosis(moment, epoch, tuple(norms), *rest) for epoch, norms, *rest in rows]


def _gradients(
    network: Network, parameters: dict[str, Tensor], retention_SH: Tensor | None, probe: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient norms by lag (S, T), and the shares (S,) of zeros among states and among pre-activation gradients."""
    S, H = len(parameters["initial_state"]), network.trial.hidden_size
    chains = [generator_for("diagnosis", device=probe.device) for _ in range(S)]
    data = probe.expand(S, *probe.shape)
    start_SBK = parameters["initial_state"].unsqueeze(1).repeat(1, probe.shape[1], 1)
    unrolled = network.core.unrolled(parameters, data[:, :-1], start_SBK, retention_SH)
    carried_STBK = unrolled.carried_STBK
    last_SBK = carried_STBK[:, -1].clone().requires_grad_()
    with torch.enable_grad():
        read_S1BH = last_SBK[..., :H].unsqueeze(1)
        loss = network.output.cost(parameters, read_S1BH, data[:, -1:], chains).sum()
        (d_last_SBK,) = torch.autograd.grad(loss, last_SBK, materialize_grads=True)
    d_carried_STBK, d_pre = unrolled.carried_gradients(d_last_SBK)
    norms_ST = d_carried_STBK.norm(dim=-1).mean(-1).flip(1)
    return norms_ST, _zeros(carried_STBK[:, 1:, :, :H]), _zeros(d_pre)


def _zeros(values: Tensor) -> Tensor:
    """Share of values that are exactly 0, for each member, (S,)."""
    return (values == 0).flatten(1).double().mean(1)


def spectral_radius(matrix_SHH: Tensor) -> Tensor:
    """Largest absolute eigenvalue of each matrix, (S,), to about three digits.

    By Gelfand's formula: |W^2n| / |W^n| tends to rho^n; here n = 512, reached by repeated squaring. The products are
    batched on a GPU, and take a fifth of the time of all eigenvalues for a matrix of 100 rows.

    >>> round(spectral_radius(torch.tensor([[[0.0, 2.0], [-2.0, 0.0]]])).item(), 3)
    2.0
    """
    tiny = torch.finfo(matrix_SHH.dtype).tiny
    norm_S11 = matrix_SHH.norm(dim=(1, 2), keepdim=True)
    power_SHH, log_norm_S11, log_growth_S11 = matrix_SHH / norm_S11.clamp(min=tiny), norm_S11.double().log(), None
    for _ in range(SQUARINGS):
        power_SHH = power_SHH @ power_SHH
        norm_S11 = power_SHH.norm(dim=(1, 2), keepdim=True)
        power_SHH = power_SHH / norm_S11.clamp(min=tiny)
        log_growth_S11 = log_norm_S11 + norm_S11.double().log()
        log_norm_S11 = log_norm_S11 + log_growth_S11
    radius_S: Tensor = (log_growth_S11 / 2 ** (SQUARINGS - 1)).exp().flatten()
    return radius_S


def time_constants(retention_H: Tensor) -> Tensor:
    """The time constants of the leaky units, in order: steps in which a unit decays to 1/e without input, -1 / log(a).

    >>> time_constants(torch.tensor([0.9, 0.0, 0.5]))
    tensor([9.4912, 1.4427])
    """
    constants: Tensor = -1 / retention_H[retention_H > 0].log()
    return constants
