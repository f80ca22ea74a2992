"""The leaky scan, forward and backward on one thread, against torch.nn.RNN, a plain loop, and what the core can do.

Run it on a quiet machine: `python -m benchmarks.scan [REPEATS]`. Prints two tables and writes them with the hardware to
benchmarks/results/scan.json. Contenders take turns, and every figure is a median over turns of ratios within one turn,
so that a busy moment falls on all of them.

The scan starts from inputs that are projected already. torch.nn.RNN projects its own, so it gets inputs of width 1,
where that costs next to nothing. It cannot leak; the scans here do, unless they are called plain.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.autograd import forward_ad

from benchmarks.keeping import keep
from benchmarks.measuring import as_a_worker, bare_loop
from models.core import leaky_scan, use_kernel
from models.native import library

SHAPES = ((100, 32, 100), (100, 32, 200), (100, 64, 500), (200, 16, 1000), (100, 1, 100))
GATES = {
    "native / FMA loop": ((0.75, 1.0), (0.80, 1.0), (0.90, 1.0), (0.92, 1.0)),
    "reference / nn.RNN": ((1.0, 1.6), (1.0, 1.4), (1.0, 1.1), (1.0, 1.25)),
}
"""Gate and aim of the first four shapes. The loop is a core's limit: all else would take no time."""

NEWTON_GATE = (1.6, 1.25)
"""Gate and aim of a Gauss-Newton product in gradients, of which less is better."""


@dataclass(frozen=True)
class Row:
    """Medians of one shape: milliseconds of each contender, and ratios within a turn."""

    T: int
    B: int
    H: int
    milliseconds: dict[str, float]
    ratios: dict[str, float]


@dataclass(frozen=True)
class Gate:
    """One gate: the least (of a cost: the most) that is asked, what is aimed at, what was measured."""

    name: str
    H: int
    gate: float
    aim: float
    measured: float
    met: bool


def contenders(T: int, B: int, H: int) -> dict[str, Callable[[], object]]:
    """Each computes states and all gradients of one shape."""
    random = torch.Generator().manual_seed(0)

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=random)

    pre, h0 = normal(1, T, B, H).requires_grad_(), normal(1, B, H).requires_grad_()
    W = (normal(1, H, H) / H**0.5).requires_grad_()
    retention, weight, leaves = torch.rand(1, H, generator=random), normal(1, T, B, H), (pre, h0, W)
    moved = [normal(*x.shape) for x in leaves]
    rnn = torch.nn.RNN(1, H)
    x = normal(T, B, 1)

    def scan(kernel: str, a: Tensor | None) -> object:
        with use_kernel(kernel):
            return torch.autograd.grad(leaky_scan(pre, h0, W, a, "tanh"), leaves, weight)

    def gauss_newton() -> object:
        with use_kernel("native"):
            with forward_ad.dual_level():
                inputs, start, matrix = (forward_ad.make_dual(x, v) for x, v in zip(leaves, moved, strict=True))
                states, tangent = forward_ad.unpack_dual(leaky_scan(inputs, start, matrix, retention, "tanh"))
            return torch.autograd.grad(states, leaves, tangent.detach())

    def loop() -> object:
        a, h, W_HH, states = retention[0], h0[0], W[0], []
        for pre_BH in pre[0].unbind(0):
            h = a * h + (1 - a) * torch.tanh(torch.addmm(pre_BH, h, W_HH.T))
            states.append(h)
        return torch.autograd.grad(torch.stack(states), leaves, weight[0])

    found: dict[str, Callable[[], object]] = {
        "nn.RNN": lambda: torch.autograd.grad(rnn(x, h0)[0], (h0, *rnn.parameters()), weight[0]),
        "loop": loop,
        "reference": lambda: scan("reference", retention),
    }
    if library.reason() is None:
        found |= {
            "native": lambda: scan("native", retention),
            "native, plain": lambda: scan("native", None),
            "native, Gauss-Newton": gauss_newton,
        }
    return found


def limits() -> dict[str, Callable[[], float]]:
    """Operations in one call of what bounds a core."""
    left, right, out = torch.randn(2048, 2048), torch.randn(2048, 2048), torch.empty(2048, 2048)

    def product() -> float:
        torch.mm(left, right, out=out)
        return 2.0 * 2048**3

    found: dict[str, Callable[[], float]] = {"torch.mm": product}
    loop = bare_loop()
    return found if loop is None else found | {"FMA loop": loop}


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(T: int, B: int, H: int, repeats: int) -> Row:
    """All contenders in turns. Small shapes run several times in a turn, so that a turn is not over in a blink."""
    runs, bounds, work = contenders(T, B, H), limits(), 6.0 * T * B * H * H
    inner = max(1, int(2e9 / work / 5))
    for call in runs.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in runs}
    speeds: dict[str, list[float]] = {name: [] for name in bounds}
    for _ in range(repeats):
        for name, bound in bounds.items():
            began = time.perf_counter()
            speeds[name].append(bound() / (time.perf_counter() - began))
        for name, call in runs.items():
            times[name].append(statistics.median(seconds(call) for _ in range(min(inner, 25))))
    ratios = {
        f"{name} / nn.RNN": [rnn / mine for rnn, mine in zip(times["nn.RNN"], times[name], strict=True)]
        for name in times
        if name != "nn.RNN" and "Gauss" not in name
    }
    if "native" in times:
        for name, speed in speeds.items():
            ratios[f"native / {name}"] = [work / t / s for t, s in zip(times["native"], speed, strict=True)]
        newton = zip(times["native, Gauss-Newton"], times["native"], strict=True)
        ratios["Gauss-Newton product / gradient"] = [product / gradient for product, gradient in newton]
    if "FMA loop" in speeds:
        pairs = zip(speeds["FMA loop"], speeds["torch.mm"], strict=True)
        ratios["FMA loop / torch.mm"] = [fma / mm for fma, mm in pairs]
    return Row(
        *(T, B, H),
        {name: round(1e3 * statistics.median(values), 3) for name, values in times.items()},
        {name: round(statistics.median(values), 3) for name, values in ratios.items()},
    )


def gates(rows: list[Row]) -> list[Gate]:
    found = []
    for name, limits_of in GATES.items():
        for row, (gate, aim) in zip(rows, limits_of, strict=False):
            if name in row.ratios:
                measured = row.ratios[name]
                found.append(Gate(name, row.H, gate, aim, measured, measured >= gate))
    name, (gate, aim) = "Gauss-Newton product / gradient", NEWTON_GATE
    for row in rows:
        if name in row.ratios and row.B > 1:
            found.append(Gate(name, row.H, gate, aim, row.ratios[name], row.ratios[name] <= gate))
    return found


def main() -> None:
    as_a_worker()
    torch.set_num_threads(1)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if library.reason() is not None:
        print(f"the native kernel is not measured: {library.reason()}")
    rows = []
    for shape in SHAPES:
        row = measure(*shape, repeats)
        rows.append(row)
        print(f"T {row.T}, B {row.B}, H {row.H}")
        print("  ms      " + "   ".join(f"{name} {value:.2f}" for name, value in row.milliseconds.items()))
        print("  ratios  " + "   ".join(f"{name} {value:.2f}" for name, value in row.ratios.items()))
    found = gates(rows)
    print(f"{'what':32}{'H':>6}{'gate':>7}{'aim':>7}{'measured':>10}")
    for each in found:
        aimed = each.measured <= each.aim if each.aim < each.gate else each.measured >= each.aim
        word = "aim met" if aimed else "gate met" if each.met else "missed"
        print(f"{each.name:32}{each.H:6}{each.gate:7.2f}{each.aim:7.2f}{each.measured:10.2f}  {word}")
    document = {
        "repeats": repeats,
        "rows": [asdict(row) for row in rows],
        "gates": [asdict(each) for each in found],
    }
    keep("scan", document)


if __name__ == "__main__":
    main()
