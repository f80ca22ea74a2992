"""Annealed importance sampling: an estimate of log Z of restricted Boltzmann machines, with its standard error.

Neal 2001 (Statistics and Computing 11); Salakhutdinov & Murray 2008 (ICML). The distributions p_0 ... p_K lead from a
base machine without couplings, whose Z is known, to the machine itself; p_k has the couplings beta_k W, beta_k = k / K:

    log p*_k(v) = b_v'v + sum_j log(1 + exp(b_h_j + beta_k (Wv)_j)),    log Z_0 = sum softplus(b_v) + sum softplus(b_h)

A chain draws v_0 from p_0, and v_k by a Gibbs step that leaves p_k invariant. Its weight is
w = prod_k p*_k(v_{k-1}) / p*_{k-1}(v_{k-1}), and E[w] = Z / Z_0 for any number of temperatures. So the mean of w over
chains is unbiased. Its logarithm is too low by about half its squared standard error, and a log-likelihood is too high
by as much. The standard error comes from that of the mean of w, by the delta method. It cannot reveal a mode that no
chain has found.

Shape letters: S stacked trials, N machines, C chains, R = N C rows, D notes, U units.
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor
from torch.nn.functional import softplus

from models.outputs.effort import Effort
from models.outputs.rbm.machine import Machines, draw_

ROWS = 1024
"""Number of chains side by side, so that the tensors fit in a core's cache."""


@torch.no_grad()
def log_partition(machines: Machines, effort: Effort, generators: Sequence[torch.Generator]) -> tuple[Tensor, Tensor]:
    """Estimates of log Z and their standard errors, nats, each float64 (S, N).

    Args:
        machines: the machines.
        effort: chains and temperatures.
        generators: one for each member.
    """
    S, N, _ = machines.visible_SND.shape
    weights_SNC = torch.empty(S, N, effort.chains, dtype=torch.float64, device=machines.visible_SND.device)
    together = max(1, ROWS // effort.chains)
    for start in range(0, N, together):
        block = slice(start, start + together)
        some = Machines(machines.visible_SND[:, block], machines.hidden_SNU[:, block], machines.coupling_SUD)
        weights_SNC[:, block] = _log_weights(some, effort, generators)
    base_SN = sum(softplus(biases.double()).sum(-1) for biases in (machines.visible_SND, machines.hidden_SNU))
    C = effort.chains
    log_mean_SN = weights_SNC.logsumexp(-1) - log(C)
    relative_SNC = (weights_SNC - log_mean_SN.unsqueeze(-1)).exp()
    variance_SN = (relative_SNC - 1).square().sum(-1) / (C * (C - 1))
    return base_SN + log_mean_SN, variance_SN.sqrt()


def _log_weights(machines: Machines, effort: Effort, generators: Sequence[torch.Generator]) -> Tensor:
    """log w of every chain, float64 (S, N, C)."""
    C, K = effort.chains, effort.temperatures
    visible_SRD = machines.visible_SND.repeat_interleave(C, dim=1)
    hidden_SRU = machines.hidden_SNU.repeat_interleave(C, dim=1)
    from_notes_SDU = machines.coupling_SUD.transpose(1, 2)
    numbers_SRD, numbers_SRU = torch.empty_like(visible_SRD), torch.empty_like(hidden_SRU)
    field_SRU, logits_SRU = torch.empty_like(hidden_SRU), torch.empty_like(hidden_SRU)
    notes_SRD = draw_(visible_SRD.clone(), numbers_SRD, generators)
    weights_SR = torch.zeros(visible_SRD.shape[:2], dtype=torch.float64, device=visible_SRD.device)
    for k in range(1, K + 1):
        torch.bmm(notes_SRD, from_notes_SDU, out=field_SRU)
        torch.add(hidden_SRU, field_SRU, alpha=(k - 1) / K, out=logits_SRU)
        before_SRU = softplus(logits_SRU)
        torch.add(hidden_SRU, field_SRU, alpha=k / K, out=logits_SRU)
        weights_SR += softplus(logits_SRU).sub_(before_SRU).sum(-1)
        if k < K:
            draw_(logits_SRU, numbers_SRU, generators)
            torch.baddbmm(visible_SRD, logits_SRU, machines.coupling_SUD, alpha=k / K, out=notes_SRD)
            draw_(notes_SRD, numbers_SRD, generators)
    return weights_SR.view(len(weights_SR), -1, C)
