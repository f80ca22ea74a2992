"""NADE forward and backward on one thread against the loop over 88 notes under autograd: time and peak memory.

Run it on a quiet machine: `python -m benchmarks.nade [REPEATS]`. Prints two tables and writes them with the hardware to
benchmarks/results/nade.json. Contenders take turns, and every ratio is a median over turns of ratios within one turn.
Peak memory is what the system counts for a process of its own beyond what it holds before the call (Linux only); large
tensors are given back to the system when they are freed there, or else holes in the C library's heap triple the loop's.

"given biases" is NADE itself: b(t) and c(t) of every frame are there, and their gradients are asked for. "whole output"
has the products with the recurrent states as well, which are the same for all contenders. Frames have 4 notes on
average.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import softplus

from benchmarks.keeping import keep
from models.core import use_kernel
from models.native import library
from models.outputs import Nade, NadeSettings
from models.outputs.nade import native as nade_native
from models.outputs.nade.rows import logits_of_member
from models.parameters import Parameters

ROOT = Path(__file__).parents[1]
NOTES, UNITS, HIDDEN, SHARE = 88, 150, 150, 4 / 88
FRAMES, FRAMES_FOR_MEMORY = 1600, 8192
CONTENDERS = ("loop", "pure torch", "native")
LEVELS = ("given biases", "whole output")
GATES = (
    ("given biases", "time", "loop / it", 10.0, 25.0),
    ("given biases", "memory", "memory, loop / it", 50.0, None),
    ("whole output", "time", "loop / it", 10.0, None),
)
"""Level, what, the measurement, gate and aim of the native kernel against the loop."""


def loop(b_ND: Tensor, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor, data_ND: Tensor) -> Tensor:
    """What one writes down first."""
    a_NU, total_N = c_NU, torch.zeros(len(b_ND))
    for i in range(b_ND.shape[1]):
        z_N = b_ND[:, i] + torch.sigmoid(a_NU) @ V_DU[i]
        total_N = total_N + data_ND[:, i] * z_N - softplus(z_N)
        a_NU = a_NU + data_ND[:, i : i + 1] * W_DU[i]
    return total_N


def pure_torch(b_ND: Tensor, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor, data_ND: Tensor) -> Tensor:
    z_ND = logits_of_member(b_ND, c_NU, V_DU, W_DU, data_ND)
    return (data_ND * z_ND - softplus(z_ND)).sum(-1)


def native(b_ND: Tensor, c_NU: Tensor, V_DU: Tensor, W_DU: Tensor, data_ND: Tensor) -> Tensor:
    b_SND, c_SNU, V_SDU, W_SDU, data_SND = (x.unsqueeze(0) for x in (b_ND, c_NU, V_DU, W_DU, data_ND))
    return nade_native.log_likelihood(b_SND, c_SNU, V_SDU, W_SDU, data_SND, ()).squeeze(0)


def prepared(contender: str, level: str, frames: int) -> Callable[[], object]:
    """A call that computes the log-likelihoods and all gradients."""
    random = torch.Generator().manual_seed(0)
    model = Nade(NOTES, HIDDEN, NadeSettings(UNITS))
    parameters = Parameters(1, model.shapes())
    parameters.theta_SP.normal_(0, 0.1, generator=random)
    by_name = parameters.by_name
    data = (torch.rand(1, 1, frames, NOTES, generator=random) < SHARE).float()
    if level == "whole output":
        states = torch.randn(1, 1, frames, HIDDEN, generator=random).requires_grad_()
        leaves = (states, *by_name.values())

        def whole() -> Tensor:
            if contender != "loop":
                with use_kernel("native" if contender == "native" else "reference"):
                    return model.log_likelihood(by_name, states, data)
            h_NH, first = states[0, 0], {name: value[0] for name, value in by_name.items()}
            b_ND = torch.addmm(first["output_bias"], h_NH, first["output_weight"])
            c_NU = torch.addmm(first["hidden_bias"], h_NH, first["hidden_weight"])
            return loop(b_ND, c_NU, first["from_hidden"], first["to_hidden"], data[0, 0])

        return lambda: torch.autograd.grad(whole().sum(), leaves)
    b_ND, c_NU = (torch.randn(frames, size, generator=random).requires_grad_() for size in (NOTES, UNITS))
    V_DU, W_DU = (by_name[name].detach()[0].requires_grad_() for name in ("from_hidden", "to_hidden"))
    given = (b_ND, c_NU, V_DU, W_DU)
    call = {"loop": loop, "pure torch": pure_torch, "native": native}[contender]
    return lambda: torch.autograd.grad(call(b_ND, c_NU, V_DU, W_DU, data[0, 0]).sum(), given)


def seconds(call: Callable[[], object], runs: int = 3) -> float:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def status_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def peak_kib(contender: str, level: str) -> int:
    """Most memory beyond what the process holds before the call, in a process that has done the same in small."""
    prepared(contender, level, 64)()
    call = prepared(contender, level, FRAMES_FOR_MEMORY)
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = status_kib("VmRSS")
    results = call()
    assert results  # noqa: S101
    return status_kib("VmHWM") - before


def peak_of(contender: str, level: str) -> int:
    command = [sys.executable, "-m", "benchmarks.nade", "--peak", contender, level]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MALLOC_MMAP_THRESHOLD_": "65536"}
    return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)  # noqa: S603


def measure(level: str, names: tuple[str, ...], repeats: int) -> dict[str, dict[str, float]]:
    calls = {name: prepared(name, level, FRAMES) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            times[name].append(seconds(call))
    found = {}
    for name in names:
        ratios = [other / mine for other, mine in zip(times["loop"], times[name], strict=True)]
        found[name] = {
            "milliseconds": round(1e3 * statistics.median(times[name]), 3),
            "loop / it": round(statistics.median(ratios), 2),
        }
    if Path("/proc/self/clear_refs").exists():
        peaks = {name: peak_of(name, level) for name in names}
        for name, peak in peaks.items():
            found[name] |= {"peak_kib": peak, "memory, loop / it": round(peaks["loop"] / max(peak, 1), 1)}
    return found


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--peak"]:
        print(peak_kib(*sys.argv[2:]))
        return
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    if library.reason() is not None:
        print(f"the native kernel is not measured: {library.reason()}")
    names = CONTENDERS if library.reason() is None else CONTENDERS[:2]
    found = {level: measure(level, names, repeats) for level in LEVELS}
    for level, rows in found.items():
        print(f"{level}: {FRAMES} frames for time, {FRAMES_FOR_MEMORY} for memory, {UNITS} hidden units of NADE")
        for name, row in rows.items():
            print(f"  {name:12}" + "   ".join(f"{what} {value}" for what, value in row.items()))
    gates = []
    for level, what, name, gate, aim in GATES:
        measured = found[level].get("native", {}).get(name)
        if measured is not None:
            word = "missed" if measured < gate else "gate met" if aim is None or measured < aim else "aim met"
            print(f"native, {level}, {what}: gate {gate}, aim {aim or 'none'}, measured {measured}: {word}")
            told = {"name": f"loop / native, {level}, {what}", "H": HIDDEN, "gate": gate, "aim": aim}
            gates.append({**told, "measured": measured, "met": measured >= gate})
    document = {
        "repeats": repeats,
        "sizes": {
            **{"notes": NOTES, "units": UNITS, "hidden": HIDDEN},
            **{"frames": FRAMES, "frames_for_memory": FRAMES_FOR_MEMORY},
        },
        "levels": found,
        "gates": gates,
    }
    keep("nade", document)


if __name__ == "__main__":
    main()
