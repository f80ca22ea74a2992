"""Softmaxes over 10,000 words, forward and backward on one thread, against `linear` and `cross_entropy` of torch.

Run it on a quiet machine: `python -m benchmarks.cross_entropy [REPEATS]`. Prints two tables and writes them with the
hardware to benchmarks/results/cross_entropy.json. Contenders take turns, and every figure is a median over turns of
ratios within one turn. Times are the processor's, of the one thread, so that other work on the machine weighs less.

`classes` is the class-factorised softmax, 30 classes, on words drawn by Zipf's law. The bound is what would be reached
if a bare loop of multiply-adds did the three matrix products, and everything else took no time at all.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch.nn.functional import cross_entropy, linear

from benchmarks.keeping import keep
from benchmarks.measuring import as_a_worker, bare_loop, speed
from models.core import use_kernel
from models.native import library
from models.outputs import ClassSoftmax, Output, Softmax
from models.parameters import Parameters

WORDS = 10_000
SHAPES = ((640, 200), (1280, 200), (640, 400), (1280, 400))
GATES = {"native / bound": (0.92, 1.0), "reference over torch": (1.2, 1.5)}
"""Gate and aim."""


@dataclass(frozen=True)
class Row:
    """Medians of one shape: milliseconds of each contender, and ratios within a turn."""

    N: int
    H: int
    milliseconds: dict[str, float]
    ratios: dict[str, float]


@dataclass(frozen=True)
class Gate:
    """One gate: the least that is asked, what is aimed at, what was measured."""

    name: str
    N: int
    H: int
    gate: float
    aim: float
    measured: float
    met: bool


def contenders(N: int, H: int) -> dict[str, Callable[[], object]]:
    """Each computes log-likelihoods and all gradients of one shape."""
    random = torch.Generator().manual_seed(0)
    frequency = 1 / torch.arange(1, WORDS + 1).double()
    frequency /= frequency.sum()
    words = torch.multinomial(frequency, N, replacement=True, generator=random)
    states = torch.randn(1, 1, N, H, generator=random).requires_grad_()

    def made(output: type[Output]) -> Callable[[], object]:
        model = output(WORDS, H, output.settings_type())
        parameters = Parameters(1, model.shapes())
        model.initialise(parameters.member(0), random, frequency)
        named = parameters.by_name | model.constants(frequency)
        leaves = [states, *parameters.by_name.values()]
        return lambda: torch.autograd.grad(model.log_likelihood(named, states, words.view(1, 1, N)).sum(), leaves)

    weight, bias = torch.randn(WORDS, H, generator=random).mul_(H**-0.5).requires_grad_(), frequency.log().float()
    bias.requires_grad_()
    rows, large = states.detach()[0, 0].requires_grad_(), torch.randn(N, WORDS, generator=random)

    def plain() -> object:
        cost = cross_entropy(linear(rows, weight, bias), words, reduction="sum")
        return torch.autograd.grad(cost, (rows, weight, bias))

    def products() -> object:
        h, W = rows.detach(), weight.detach()
        return h @ W.T, large @ W, large.T @ h

    softmax, classes = made(Softmax), made(ClassSoftmax)

    def on(kernel: str, call: Callable[[], object]) -> Callable[[], object]:
        def forced() -> object:
            with use_kernel(kernel):
                return call()

        return forced

    found = {"torch": plain, "three products": products, "reference": on("reference", softmax)}
    found["classes, reference"] = on("reference", classes)
    if library.reason() is None:
        found |= {"native": on("native", softmax), "classes, native": on("native", classes)}
    return found


def seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def measure(N: int, H: int, repeats: int) -> Row:
    """All contenders in turns."""
    runs, loop = contenders(N, H), bare_loop()
    for call in runs.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in runs}
    bounds = []
    for _ in range(repeats):
        for name, call in runs.items():
            times[name].append(seconds(call))
        if loop is not None:
            bounds.append(times["torch"][-1] * speed(loop) / (6.0 * N * H * WORDS))
    ratios = {
        f"{name} over torch": [base / mine for base, mine in zip(times["torch"], times[name], strict=True)]
        for name in times
        if name != "torch"
    }
    for kernel in ("reference", "native"):
        if kernel in times:
            pairs = zip(times[f"classes, {kernel}"], times[kernel], strict=True)
            ratios[f"classes / full, {kernel}"] = [classes / full for classes, full in pairs]
    if bounds:
        ratios["bound over torch"] = bounds
        if "native" in times:
            ratios["native / bound"] = [
                mine / bound for mine, bound in zip(ratios["native over torch"], bounds, strict=True)
            ]
    return Row(
        *(N, H),
        {name: round(1e3 * statistics.median(values), 2) for name, values in times.items()},
        {name: round(statistics.median(values), 3) for name, values in ratios.items()},
    )


def gates(rows: list[Row]) -> list[Gate]:
    found = []
    for name, (gate, aim) in GATES.items():
        for row in rows:
            measured = row.ratios.get(name)
            if measured is not None:
                found.append(Gate(name, row.N, row.H, gate, aim, measured, measured >= gate))
    return found


def main() -> None:
    as_a_worker()
    torch.set_num_threads(1)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    if library.reason() is not None:
        print(f"the native kernel is not measured: {library.reason()}")
    rows = []
    for shape in SHAPES:
        row = measure(*shape, repeats)
        rows.append(row)
        print(f"N {row.N}, H {row.H}")
        print("  ms      " + "   ".join(f"{name} {value:.1f}" for name, value in row.milliseconds.items()))
        print("  ratios  " + "   ".join(f"{name} {value:.2f}" for name, value in row.ratios.items()))
    found = gates(rows)
    print(f"{'what':24}{'N':>6}{'H':>6}{'gate':>7}{'aim':>7}{'measured':>10}")
    for each in found:
        word = "aim met" if each.measured >= each.aim else "gate met" if each.met else "missed"
        print(f"{each.name:24}{each.N:6}{each.H:6}{each.gate:7.2f}{each.aim:7.2f}{each.measured:10.2f}  {word}")
    document = {
        "repeats": repeats,
        "rows": [asdict(row) for row in rows],
        "gates": [asdict(each) for each in found],
    }
    keep("cross_entropy", document)


if __name__ == "__main__":
    main()
