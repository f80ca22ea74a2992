"""All that a GPU has to show, in under ten minutes, in the order of what matters.

    python -m benchmarks.gpu [DEVICE [MINUTES]]

1. `scan`: each kernel of the leaky scan on the device, states and gradients against float64 on the processor.
2. `training`: short trainings there against the same on the processor; stacks against their members alone.
3. `graphs`: trainings whose updates are a CUDA graph against the same without one.
4. `gates`: 64 stacked trials against one alone, and against the processor; with and without CUDA graphs.
5. `memory`: what a stack occupied at most, over the estimate by which trials are put side by side.

A part begins while there is time, and what could not begin is named. DEVICE is cuda unless told otherwise; on `cpu`
the checks run on small sizes, which is how the tests try this script, and what needs a GPU says so. Needs torch and
numpy alone. Prints a line a check, and writes benchmarks/results/gpu.json with hardware and versions.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import product
from os import environ
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from benchmarks import stacks
from benchmarks.keeping import keep
from models.core import leaky_scan, use_kernel
from models.core.scan.activation import ACTIVATIONS, Activation
from models.data.chunks import Pieces
from models.outputs import NadeSettings, RBMSettings
from models.techniques import Clipping, Leaky, Nesterov, Rectifier
from models.training.memory import member_bytes
from models.training.outcome import Training
from models.training.run import train_stack
from models.training.updates.cuda_graph import VARIABLE
from models.trial import Trial

ROUNDING = 3e-5
"""Most difference of a float32 state or gradient of ordinary size: sums of 100 products, in another order."""
NOTES = 12
DRIFT = 0.02
"""Most difference of a validation score, in nats a step, after an epoch on another device: rounding that has grown."""


@dataclass(frozen=True)
class Check:
    """One line of the result: what was measured, the most (or None) that it may be, and whether it is not more."""

    part: str
    name: str
    measured: float
    most: float | None
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        bound = "" if self.most is None else f"at most {self.most:g}"
        return f"{self.part:9} {self.name:58} {self.measured:12.5g}  {bound:16} {verdict}"


def check(part: str, name: str, measured: float, most: float | None = None) -> Check:
    """NaN is more than any bound."""
    return Check(part, name, measured, most, None if most is None else measured <= most)


def scan(device: str) -> Iterator[Check]:
    """States and gradients of every kernel that serves the device."""
    shapes = (
        ((1, 3, 2, 5), (4, 7, 3, 33)) if device == "cpu" else ((1, 20, 16, 100), (64, 20, 16, 100), (8, 20, 8, 128))
    )
    kernels = ["reference", *(["triton"] if find_spec("triton") and device != "cpu" else [])]
    for kernel, activation, leaks in product(kernels, ACTIVATIONS, (False, True)):
        worst = max(_scan_error(device, kernel, activation, shape, leaks) for shape in shapes)
        yield check("scan", f"{kernel}, {activation}{', leaky' if leaks else ''}: error", worst, ROUNDING)


def _scan_error(device: str, kernel: str, activation: Activation, shape: tuple[int, ...], leaks: bool) -> float:
    S, _, B, H = shape
    random = torch.Generator().manual_seed(1)
    given = [torch.randn(size, generator=random) for size in (shape, (S, B, H))]
    given.append(torch.randn((S, H, H), generator=random) / H**0.5)
    retention = torch.rand((S, H), generator=random) * 0.98 if leaks else None
    weight = torch.randn(shape, generator=random)

    def results(place: str, dtype: torch.dtype) -> list[Tensor]:
        pre, h0, W = leaves = [tensor.to(place, dtype).requires_grad_() for tensor in given]
        kept = None if retention is None else retention.to(place, dtype)
        states = leaky_scan(pre, h0, W, kept, activation)
        gradients = torch.autograd.grad((states * weight.to(place, dtype)).sum(), leaves)
        return [value.detach().double().cpu() for value in (states, *gradients)]

    with use_kernel("reference"):
        exact = results("cpu", torch.float64)
    with use_kernel(kernel):
        ours = results(device, torch.float32)
    return max(float(((a - b).abs() / b.abs().clamp(min=1)).max()) for a, b in zip(ours, exact, strict=True))


def trials() -> dict[str, list[Trial]]:
    """Stacks of three that between them have every core, output model and technique, by name."""
    made = stacks.trial(20, 0)
    clipped = replace(made, techniques=(Clipping(15.0),))
    some = {
        "rnn/bernoulli/SGD+CLRM": replace(
            made, techniques=(Clipping(15.0), Leaky(0.5, "update-rate"), Rectifier(1e-4), Nesterov(0.9))
        ),
        "rnn/nade/SGD+C": replace(clipped, output="nade", output_settings=NadeSettings(units=10)),
        "rnn/rbm/SGD+C": replace(clipped, output="rbm", output_settings=RBMSettings(units=10, cd_steps=2)),
        "lstm/bernoulli/Adam+C": replace(clipped, core="lstm", optimizer="Adam", learning_rate=1e-3),
        "gru/bernoulli/SGD+C": replace(clipped, core="gru"),
    }
    return {name: [replace(trial, chunk=10, batch=4, seed=seed) for seed in (1, 2, 3)] for name, trial in some.items()}


def pieces(count: int, steps: int, seed: int) -> Pieces:
    """Random music of a dozen notes, three of them a step."""
    random = np.random.default_rng(seed)
    return Pieces.from_arrays([(random.random((steps, NOTES)) < 0.25).astype(np.uint8) for _ in range(count)])


def _train(some: list[Trial], device: str) -> dict[str, Training]:
    train_pieces, valid_pieces = (split.to(device) for split in (pieces(8, 20, 1), pieces(4, 10, 2)))
    return train_stack(some, train_pieces, valid_pieces, NOTES, device=device)


def _apart(some: dict[str, Training], others: dict[str, Training]) -> float:
    """Largest difference of a validation score in the curves of two trainings of the same trials; NaN if one ended."""
    pairs = [(some[key].curve, others[key].curve) for key in some]
    if any(len(ours) != len(theirs) for ours, theirs in pairs):
        return float("nan")
    return max(abs(a.valid - b.valid) for ours, theirs in pairs for a, b in zip(ours, theirs, strict=True))


def training(device: str) -> Iterator[Check]:
    """The same curves as on the processor, and of stacks the same as of their members alone."""
    for name, some in trials().items():
        stacked = _train(some, device)
        alone = {trial.key: _train([trial], device)[trial.key] for trial in some}
        yield check("training", f"{name}: stack - alone, nats a step", _apart(stacked, alone), DRIFT)
        # What an estimated likelihood draws on a GPU are other random numbers.
        if device != "cpu" and not some[0].output_type.estimated:
            with use_kernel("reference"):
                processor = _train(some, "cpu")
            yield check("training", f"{name}: {device} - processor, nats a step", _apart(stacked, processor), DRIFT)


def graphs(device: str) -> Iterator[Check]:
    """The same curves with and without a recorded update."""
    for name, some in trials().items():
        if some[0].output_type.static_shapes:
            without = _train(some, device)
            with patch.dict(environ, {VARIABLE: "1"}):
                recorded = _train(some, device)
            yield check("graphs", f"{name}: with - without, nats a step", _apart(recorded, without), DRIFT)


def gates(device: str) -> Iterator[Check]:
    """The GPU rows of the gates: 64 stacked trials over one alone, and what a trial costs over a processor's core."""
    data = stacks.pieces()
    for units in stacks.SIZES:
        alone, stacked, core = (
            _seconds(units, data, members, where) for members, where in ((1, device), (64, device), (1, "cpu"))
        )
        with patch.dict(environ, {VARIABLE: "1"}):
            graphed = _seconds(units, data, 64, device)
        yield check("gates", f"H {units}: 64 stacked / one alone, time", stacked / alone, 2.0)
        yield check("gates", f"H {units}: 64 stacked with CUDA graphs / without, time", graphed / stacked, 1.0)
        yield check("gates", f"H {units}: a stacked trial / the same on one core, time", stacked / 64 / core)


def _seconds(units: int, data: Pieces, members: int, device: str) -> float:
    """Of the updates of a stack, the median of three after one that warms up."""
    stacks.updates(units, data, members, device)
    return statistics.median(stacks.updates(units, data, members, device) for _ in range(3))


def memory(device: str) -> Iterator[Check]:
    """Peak of a stack's updates over the estimate; a stack is given half of what is free, so 2 would be too much."""
    data = stacks.pieces()
    for units in stacks.SIZES:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        stacks.updates(units, data, 64, device)
        peak = torch.cuda.max_memory_allocated() - before
        yield check(
            "memory", f"H {units}: peak / estimate", peak / (64 * member_bytes(stacks.trial(units, 0), 88)), 2.0
        )


PARTS: dict[str, tuple[Callable[[str], Iterator[Check]], bool]] = {
    "scan": (scan, False),
    "training": (training, False),
    "graphs": (graphs, True),
    "gates": (gates, True),
    "memory": (memory, True),
}
"""What is shown, in this order, and whether it needs a GPU."""


def show(device: str, minutes: float) -> tuple[list[Check], dict[str, str], dict[str, str]]:
    """Every part that there is time for.

    Returns:
        The checks; by part why it was not made or not ended; and by part the error that ended it.
    """
    made: list[Check] = []
    lacking: dict[str, str] = {}
    failed: dict[str, str] = {}
    end = time.monotonic() + 60 * minutes
    for part, (run, needs_gpu) in PARTS.items():
        if needs_gpu and device == "cpu":
            lacking[part] = "needs a GPU"
            continue
        if time.monotonic() > end:
            lacking[part] = f"no time left of {minutes:g} minutes"
            continue
        try:
            for line in run(device):
                print(line, flush=True)
                made.append(line)
                if time.monotonic() > end:
                    lacking[part] = f"stopped after {minutes:g} minutes"
                    break
        except Exception as error:  # noqa: BLE001 # the parts behind it are worth having
            failed[part] = f"{type(error).__name__}: {error}"
            print(f"{part:9} {failed[part]}", flush=True)
    return made, lacking, failed


def main() -> None:
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 9.0
    if device != "cpu" and not torch.cuda.is_available():
        sys.exit("gpu: torch finds no GPU here; try the checks on a processor with: python -m benchmarks.gpu cpu")
    made, lacking, failed = show(device, minutes)
    name = "processor" if device == "cpu" else torch.cuda.get_device_name()
    if device != "cpu":
        lines = [asdict(line) for line in made]
        keep("gpu", {"device": name, "checks": lines, "lacking": lacking, "failed": failed})
    met, missed = (sum(line.met is verdict for line in made) for verdict in (True, False))
    print(f"{name}: {met} met, {missed} missed, {len(failed)} parts failed; not made: {', '.join(lacking) or 'none'}")
    sys.exit(1 if missed or failed else 0)


if __name__ == "__main__":
    main()
