"""The temporal-order task by Hessian-free and by plain gradient descent, on the same network and the same budget.

Section 4 of arXiv:1211.5063, after Hochreiter & Schmidhuber (1997): of T random symbols c, d, e, f two are A or B, one
in the second tenth of the sequence and one in the fifth; after the last symbol it is to be said whether they were AA,
AB, BA or BB. A run has solved it where under 1 % of 10,000 fresh sequences are answered wrongly.

`python -m benchmarks.experiments.temporal_order [T [SEEDS [STEPS]]]` prints a line a run and writes them with the
hardware to benchmarks/results/temporal_order.json. Every sequence that training sees is fresh. Work is counted in
gradients of one sequence: a Gauss-Newton product counts as 1.25, a cost as 0.4, a slope with the squared gradients of
its chunks as 2, which is what they cost or more (benchmarks/hessian_free.py). Hessian-free goes first; gradient
descent, in minibatches of 20, then gets the work that it used for each of its learning rates.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from benchmarks.keeping import keep
from models.core import RNN
from models.data.chunks import Chunk
from models.optimizers.hessian_free import Slope, hessian_free_step
from models.outputs.base import affine
from models.outputs.logits import AffineLogits, LogitOutput, Product, softmax_curvature
from models.parameters import Parameters
from models.training.updates.objective import NetworkObjective

SYMBOLS, CLASSES, UNITS = 6, 4, 50
SLOPE_BATCH, CURVATURE_BATCH, DAMPING = 1000, 500, 0.1
MINIBATCH, RATES = 20, (0.1, 0.03, 0.01, 0.3)
GRADIENT, PRODUCT, COST, SLOPE = 1.0, 1.25, 0.4, 2.0
FRESH, SOLVED = 10_000, 0.01


class Answer(LogitOutput):
    """One of four classes, given the state after the last symbol."""

    name: ClassVar[str] = "answer"
    symbols: ClassVar[bool] = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"output_weight": (self.hidden_size, CLASSES), "output_bias": (CLASSES,)}

    def initialise(self, parameters: Mapping[str, Tensor], generator: torch.Generator, frequency_D: Tensor) -> None:
        parameters["output_weight"].normal_(0.0, self.hidden_size**-0.5, generator=generator)
        parameters["output_bias"].zero_()

    def log_likelihood(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        logits = affine(parameters, states_STBH)
        return -cross_entropy(logits.flatten(0, 2), data.flatten(), reduction="none").view(data.shape)

    def sample(
        self, parameters: Mapping[str, Tensor], states_STBH: Tensor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        return affine(parameters, states_STBH).argmax(-1)

    def logits(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> Tensor:
        return affine(parameters, states_STBH)

    def curvature(self, logits: Tensor) -> Product:
        return softmax_curvature(logits)

    def linearised(self, parameters: Mapping[str, Tensor], states_STBH: Tensor, data: Tensor) -> AffineLogits:
        return AffineLogits(parameters, states_STBH)


def sequences(T: int, count: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One-hot symbols (1, T + 1, B, 6), the last step of which says nothing, and classes (1, T + 1, B), there alone."""
    symbol_TB = random.integers(2, SYMBOLS, (T, count))
    first, second = random.integers(0, 2, (2, count))
    lane = np.arange(count)
    symbol_TB[random.integers(T // 10, 2 * T // 10, count), lane] = first
    symbol_TB[random.integers(4 * T // 10, 5 * T // 10, count), lane] = second
    inputs = torch.zeros(1, T + 1, count, SYMBOLS)
    inputs[0, :T] = one_hot(torch.from_numpy(symbol_TB), SYMBOLS)
    answers = torch.zeros(1, T + 1, count, dtype=torch.int64)
    answers[0, T] = torch.from_numpy(2 * first + second)
    return inputs, answers


@dataclass(frozen=True)
class Asked(Chunk):
    """A chunk of sequences, and what is to be answered at each step, (1, T, B)."""

    answers: Tensor

    @property
    def targets(self) -> Tensor:
        """The answers."""
        return self.answers


def asked(T: int, count: int, random: np.random.Generator) -> Asked:
    """Sequences of which only the step after the last symbol is predicted, and so from the state after T symbols."""
    inputs, answers = sequences(T, count, random)
    unpadded_TB = torch.ones(T + 1, count, dtype=torch.bool)
    scored_TB = torch.zeros(T + 1, count, dtype=torch.bool)
    scored_TB[T] = True
    fresh_B, piece_B = torch.ones(count, dtype=torch.bool), np.arange(count)
    return Asked(inputs[0], unpadded_TB, scored_TB, fresh_B, piece_B, answers)


class Net:
    """The network of both: 50 tanh units; an orthogonal recurrent matrix, as everywhere here, and small inputs.

    Inputs of standard deviation 0.1 and not 1, so that random symbols do not wash away the state at once.
    """

    def __init__(self, seed: int):
        self.core, self.output = RNN(SYMBOLS, UNITS, "tanh"), Answer(SYMBOLS, UNITS)
        self.parameters = Parameters(1, self.core.shapes() | self.output.shapes())
        generator, member = torch.Generator().manual_seed(seed), self.parameters.member(0)
        self.core.initialise(member, generator, 100.0)
        self.output.initialise(member, generator, torch.empty(0))

    def logits(self, inputs: Tensor) -> Tensor:
        start = self.parameters.by_name["initial_state"].unsqueeze(1).expand(1, inputs.shape[2], -1).contiguous()
        states, _ = self.core.states(self.parameters.by_name, inputs[:, :-1].contiguous(), start, None)
        return affine(self.parameters.by_name, states[:, -1:])

    @torch.no_grad()
    def errors(self, T: int, random: np.random.Generator, count: int = FRESH) -> float:
        """Share of fresh sequences that are answered wrongly."""
        inputs, answers = sequences(T, count, random)
        return (self.logits(inputs).argmax(-1)[0, 0] != answers[0, T]).double().mean().item()


@dataclass(frozen=True)
class Run:
    """What came of a run; work in gradients of one sequence, seconds of the processor."""

    rule: str
    seed: int
    rate: float | None
    work: float
    updates: int
    seconds: float
    errors: float
    solved: bool


def hessian_free(T: int, seed: int, most: int) -> Run:
    net, random, began = Net(seed), np.random.default_rng(seed), time.process_time()
    theta_P = net.parameters.theta_SP[0]
    damping, last_P, work, steps, errors = DAMPING, torch.zeros_like(theta_P), 0.0, 0, 1.0
    while steps < most:
        whole = [asked(T, SLOPE_BATCH // 4, random) for _ in range(4)]
        some = [asked(T, CURVATURE_BATCH // 4, random) for _ in range(4)]
        objective = _Counted(net.core, net.output, net.parameters, None, True, (), whole, some)
        step = hessian_free_step(objective, theta_P, objective.slope(), damping, last_P)
        theta_P += step.moved_P
        damping, last_P, work, steps = step.damping, step.solution_P, work + objective.work, steps + 1
        errors = net.errors(T, np.random.default_rng(10_000 + seed), 2_000)
        print(
            f"  step {steps}  errors {errors:.4f}  lambda {damping:.3g}  rho {step.rho:.2f}  rate {step.rate:.2f}"
            f"  iterations {step.iterations}  work {work:.3g}  {time.process_time() - began:.0f} s",
            flush=True,
        )
        if errors < SOLVED / 2:
            break
    errors = net.errors(T, np.random.default_rng(20_000 + seed))
    return Run("HF", seed, None, work, steps, round(time.process_time() - began, 1), errors, errors < SOLVED)


class _Counted(NetworkObjective):
    """Counts what it is asked for."""

    work: float = 0.0

    def slope(self) -> Slope:
        self.work += SLOPE * SLOPE_BATCH
        return super().slope()

    def cost(self, theta_P: Tensor) -> float:
        self.work += COST * SLOPE_BATCH
        return super().cost(theta_P)

    def product(self, direction_P: Tensor, structural: float) -> Tensor:
        self.work += PRODUCT * CURVATURE_BATCH
        return super().product(direction_P, structural)


def gradient_descent(T: int, seed: int, rate: float, budget: float) -> Run:
    net, random, began = Net(seed), np.random.default_rng(seed), time.process_time()
    work, updates = 0.0, 0
    while work < budget:
        inputs, answers = sequences(T, MINIBATCH, random)
        net.parameters.differentiate(cross_entropy(net.logits(inputs)[0, 0], answers[0, T]))
        net.parameters.theta_SP.sub_(net.parameters.gradient_SP, alpha=rate)
        work, updates = work + GRADIENT * MINIBATCH, updates + 1
        if not net.parameters.theta_SP.isfinite().all():
            break
        if updates % 1000 == 0 and net.errors(T, np.random.default_rng(10_000 + seed), 2_000) < SOLVED / 2:
            break
    errors = net.errors(T, np.random.default_rng(20_000 + seed))
    return Run("SGD", seed, rate, work, updates, round(time.process_time() - began, 1), errors, errors < SOLVED)


def main() -> None:
    torch.set_num_threads(1)
    T, seeds, most = (int(argument) for argument in (*sys.argv[1:], *("100", "3", "40")[len(sys.argv) - 1 :]))
    newton: list[Run] = []
    for seed in range(seeds):
        newton.append(hessian_free(T, seed, most))
        _tell(T, newton)
    runs = list(newton)
    for rate in RATES:
        for run in newton:
            runs.append(gradient_descent(T, run.seed, rate, run.work))
            _tell(T, runs)


def _tell(T: int, runs: Sequence[Run]) -> None:
    """Say what came of the last run, and write all so far."""
    run = runs[-1]
    rate = "" if run.rate is None else f" at {run.rate}"
    word = "solved" if run.solved else "not solved"
    print(
        f"{run.rule}{rate}, seed {run.seed}: {word}, {100 * run.errors:.2f} % errors after {run.updates} updates,"
        f" {run.work:.3g} gradients, {run.seconds} s",
        flush=True,
    )
    document = {"T": T, "units": UNITS, "runs": [asdict(each) for each in runs]}
    keep("temporal_order", document)


if __name__ == "__main__":
    main()
