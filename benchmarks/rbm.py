"""What the RBM costs: a frame of contrastive divergence against its multiply-adds, and a frame of log Z.

Run it on a quiet machine: `python -m benchmarks.rbm`. One thread, medians of processor time, so that other work moves
it little. The multiply-adds of k Gibbs steps, 2 D U k, are timed as matrix products of the same shapes alone; the cost
and its gradient are timed whole, biases included. Prints two tables and writes them with the hardware to
benchmarks/results/rbm.json.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch

from benchmarks.keeping import keep
from models.outputs import RBM
from models.outputs.effort import COARSE, FULL, MONITOR, Effort
from models.outputs.rbm.annealing import log_partition
from models.outputs.rbm.machine import Machines
from models.outputs.rbm.rbm import RBMSettings
from models.parameters import Parameters

ROUNDS = 15
NOTES, STATE = 88, 200
SIZES = ((60, 150, 5), (60, 150, 15), (1600, 150, 15), (1600, 400, 15))
"""Frames in a batch, units, Gibbs steps."""


@dataclass(frozen=True)
class Divergence:
    """Microseconds a frame of k Gibbs steps, of their products alone, and of cost and gradient; steps over products."""

    frames: int
    units: int
    steps: int
    products_us: float
    gibbs_us: float
    training_us: float
    ratio: float


@dataclass(frozen=True)
class Annealing:
    """Milliseconds a frame of an estimate of log Z."""

    units: int
    chains: int
    temperatures: int
    frame_ms: float


def median(*actions: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each action; they take turns, and the first turn warms up."""
    seconds: list[list[float]] = [[] for _ in actions]
    for turn in range(rounds + 1):
        for each, action in zip(seconds, actions, strict=True):
            began = time.process_time()
            action()
            if turn:
                each.append(time.process_time() - began)
    return [statistics.median(each) for each in seconds]


def made(units: int, steps: int, frames: int) -> tuple[RBM, Parameters, torch.Tensor, torch.Tensor]:
    model, random = RBM(NOTES, STATE, RBMSettings(units, steps)), torch.Generator().manual_seed(0)
    parameters = Parameters(1, model.shapes())
    model.initialise(parameters.member(0), random, torch.full((NOTES,), 0.05))
    parameters.member(0)["coupling"].normal_(0, 0.3, generator=random)
    states = torch.rand(1, 1, frames, STATE, generator=random).mul_(2).sub_(1)
    data = (torch.rand(1, 1, frames, NOTES, generator=random) < 0.05).float()
    return model, parameters, states, data


def divergence(frames: int, units: int, steps: int) -> Divergence:
    model, parameters, states, data = made(units, steps, frames)
    generators = [torch.Generator().manual_seed(0)]
    with torch.no_grad():
        machines = model.machines(parameters.by_name, states)
    hidden, visible = torch.empty_like(machines.hidden_SNU), torch.empty_like(machines.visible_SND)

    def products() -> None:
        with torch.no_grad():
            for _ in range(steps):
                torch.bmm(data[0], machines.coupling_SUD.transpose(1, 2), out=hidden)
                torch.bmm(hidden, machines.coupling_SUD, out=visible)

    def training() -> None:
        parameters.differentiate(model.cost(parameters.by_name, states, data, generators).sum())

    times = median(products, lambda: machines.gibbs(data[0], steps, generators), training)
    plain, gibbs, whole = (1e6 * seconds / frames for seconds in times)
    return Divergence(frames, units, steps, round(plain, 2), round(gibbs, 2), round(whole, 2), round(gibbs / plain, 2))


def annealing(units: int, effort: Effort) -> Annealing:
    frames = max(1, 2000 // effort.chains)
    model, parameters, states, _ = made(units, 1, frames)
    with torch.no_grad():
        machines: Machines = model.machines(parameters.by_name, states)
    generators = [torch.Generator().manual_seed(0)]
    (seconds,) = median(lambda: log_partition(machines, effort, generators), rounds=3)
    return Annealing(units, effort.chains, effort.temperatures, round(1000 * seconds / frames, 2))


def main() -> None:
    torch.set_num_threads(1)
    trained = [divergence(*size) for size in SIZES]
    print(f"{'frames, units, k':>18}{'products, us':>14}{'Gibbs, us':>11}{'training, us':>14}{'ratio':>7}")
    for row in trained:
        size = f"{row.frames}, {row.units}, {row.steps}"
        print(f"{size:>18}{row.products_us:14.2f}{row.gibbs_us:11.2f}{row.training_us:14.2f}{row.ratio:7.2f}")
    scored = [annealing(units, effort) for units in (150, 400) for effort in (COARSE, MONITOR, FULL)]
    print(f"\n{'units':>6}{'chains x temperatures':>24}{'ms a frame':>12}")
    for line in scored:
        print(f"{line.units:6}{f'{line.chains} x {line.temperatures}':>24}{line.frame_ms:12.2f}")
    tables = {"divergence": [asdict(row) for row in trained], "annealing": [asdict(row) for row in scored]}
    keep("rbm", tables)


if __name__ == "__main__":
    main()
