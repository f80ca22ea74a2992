"""References for the models, written the slow and obvious way: one step, one piece, one number at a time.

Nothing here is imported from `models`; gradients come from autograd through these loops, in float64.

Shape letters: S stacked trials, T time, B batch, D width of the data, H hidden.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def activate(name: str, z: Tensor) -> Tensor:
    """The non-linearity from its formula."""
    if name == "tanh":
        return (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())
    if name == "sigmoid":
        return 1 / (1 + (-z).exp())
    return torch.where(z > 0, z, torch.zeros_like(z))


def scan(pre: Tensor, h0: Tensor, W: Tensor, retention: Tensor | None, activation: str) -> Tensor:
    """The leaky scan, one vector at a time: (S, T, B, H)."""
    S, T, B, H = pre.shape
    members = []
    for s in range(S):
        a = torch.zeros(H, dtype=pre.dtype) if retention is None else retention[s]
        lanes = []
        for b in range(B):
            h, path = h0[s, b], []
            for t in range(T):
                h = a * h + (1 - a) * activate(activation, pre[s, t, b] + W[s] @ h)
                path.append(h)
            lanes.append(torch.stack(path))
        members.append(torch.stack(lanes, dim=1))
    return torch.stack(members)


def states(
    weights: Mapping[str, Tensor],
    steps: Tensor,
    activation: str,
    retention: Tensor | None = None,
    start: Tensor | None = None,
) -> list[Tensor]:
    """h_0 ... h_T of one piece; weights without the S axis, steps (T, D) or symbols (T,)."""
    h = weights["initial_state"] if start is None else start
    a = torch.zeros_like(h) if retention is None else retention
    path = [h]
    for step in steps:
        z = weights["bias"] + weights["recurrent_weight"] @ h
        for d in range(len(weights["input_weight"])):
            on = step[d] if steps.is_floating_point() else float(step == d)
            z = z + on * weights["input_weight"][d]
        h = a * h + (1 - a) * activate(activation, z)
        path.append(h)
    return path


def _affine(weights: Mapping[str, Tensor], h: Tensor, step: Tensor, symbol: bool) -> tuple[Tensor, Tensor]:
    """W_in x + b and W h of one step, each of all gates in a row."""
    x = torch.stack([(step == d).to(h.dtype) for d in range(len(weights["input_weight"]))]) if symbol else step
    return x @ weights["input_weight"] + weights["bias"], weights["recurrent_weight"] @ h


def lstm(weights: Mapping[str, Tensor], steps: Tensor, start: Tensor) -> list[Tensor]:
    """[h, c] from the start to step T of one piece."""
    H, path = len(start) // 2, [start]
    for step in steps:
        h, c = path[-1][:H], path[-1][H:]
        z = sum(_affine(weights, h, step, not steps.is_floating_point()))
        show, take, keep = (activate("sigmoid", z[k * H : (k + 1) * H]) for k in range(3))
        c = keep * c + take * activate("tanh", z[3 * H :])
        path.append(torch.cat([show * activate("tanh", c), c]))
    return path


def gru(weights: Mapping[str, Tensor], steps: Tensor, start: Tensor) -> list[Tensor]:
    """h from the start to step T of one piece."""
    H, path = len(start), [start]
    for step in steps:
        h = path[-1]
        x, u = _affine(weights, h, step, not steps.is_floating_point())
        reset = activate("sigmoid", x[:H] + u[:H])
        mix = activate("sigmoid", x[H : 2 * H] + u[H : 2 * H])
        new = activate("tanh", x[2 * H :] + reset * (u[2 * H :] + weights["recurrent_bias"]))
        path.append((1 - mix) * new + mix * h)
    return path


def nade_logits(weights: Mapping[str, Tensor], h: Tensor, step: Tensor, order: Sequence[int] = ()) -> Tensor:
    """Logits of NADE, one note at a time, each from hidden units that are computed anew."""
    z: list[Tensor] = [torch.zeros(())] * len(step)
    done: list[int] = []
    for i in order or range(len(step)):
        a = weights["hidden_bias"] + h @ weights["hidden_weight"]
        for j in done:
            a = a + float(step[j]) * weights["to_hidden"][j]
        from_hidden = (weights["from_hidden"][i] * activate("sigmoid", a)).sum()
        z[i] = weights["output_bias"][i] + h @ weights["output_weight"][:, i] + from_hidden
        done.append(i)
    return torch.stack(z)


def log_likelihood(weights: Mapping[str, Tensor], h: Tensor, step: Tensor, order: Sequence[int] = ()) -> Tensor:
    """Nats of one step given the state before it: notes where the step is a vector, else a symbol."""
    z = weights["output_bias"] + h @ weights["output_weight"]
    if "from_hidden" in weights:
        z = nade_logits(weights, h, step, order)
    if step.dim() == 0:
        return (z[step].exp() / z.exp().sum()).log()
    p = 1 / (1 + (-z).exp())
    total = torch.zeros((), dtype=z.dtype)
    for i, value in enumerate(step.tolist()):
        total = total + (p[i] if value == 1 else 1 - p[i]).log()
    return total


def class_log_likelihood(
    weights: Mapping[str, Tensor], h: Tensor, symbol: int, classes: Sequence[Sequence[int]]
) -> Tensor:
    """Nats of one symbol by way of its class; the columns of the weights are the classes one after the other."""
    columns = [each for members in classes for each in members]
    mine = next(k for k, members in enumerate(classes) if symbol in members)
    z = weights["class_bias"] + h @ weights["class_weight"]
    value = (z[mine].exp() / z.exp().sum()).log()
    z = weights["output_bias"] + h @ weights["output_weight"]
    others = sum(z[columns.index(other)].exp() for other in classes[mine])
    return value + (z[columns.index(symbol)].exp() / others).log()


def piece_log_likelihood(
    weights: Mapping[str, Tensor], steps: Tensor, activation: str, retention: Tensor | None = None
) -> float:
    """Nats of a whole piece, its first step included."""
    path = states(weights, steps, activation, retention)
    return math.fsum(log_likelihood(weights, h, step).item() for h, step in zip(path, steps, strict=False))


def norm(tensors: Sequence[Tensor]) -> float:
    """The Euclidean norm of everything together."""
    return math.sqrt(math.fsum(x * x for tensor in tensors for x in tensor.flatten().tolist()))


def matching(true: set[int], sampled: set[int]) -> tuple[float, float]:
    """Accuracy and union accuracy of two sets of notes."""
    if not true and not sampled:
        return 1.0, 1.0
    both = len(true & sampled)
    return both / max(len(true), len(sampled)), both / len(true | sampled)
