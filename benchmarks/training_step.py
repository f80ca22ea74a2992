"""A whole training step, against the same step in plain PyTorch: two processes of one thread each, as campaigns run.

Run it on a quiet machine: `python -m benchmarks.training_step [TURNS]`. Prints two tables and writes them with the
hardware to benchmarks/results/training_step.json. A step is the forward pass, the cost, the gradient, its norm clipped,
Nesterov momentum, and the state carried on; of 100 frames of music, about four notes each, no frame of them padding.

Ours is `ChunkUpdater.update`. Theirs is written as a good programmer would: torch.nn.RNN, Linear, clip_grad_norm_, SGD,
binary_cross_entropy_with_logits; with each of torch's three ways to clip and step, and what counts is the fastest of
them in each turn. Both have the environment of this project's workers, which helps both. In both processes contenders
take turns, and begin each together; ratios are medians over turns of ratios within one turn. Seconds are those of the
processor, system calls included: each process has one thread, and waits for nothing but others' use of the machine.

A third table is of output models without a plain counterpart, NADE on the same music and the softmax by classes on
random words: our update by compiled code beside the same one by the network's parts under autograd. It has no gates.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from threading import Barrier

from infra.cluster.clusters import WORKER_ENVIRONMENT

os.environ.update(WORKER_ENVIRONMENT)

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, linear

from benchmarks.keeping import Gate, keep
from benchmarks.measuring import bare_loop, speed
from models.core import scan_kernel
from models.data.chunks import Chunk
from models.network import Network
from models.techniques import Clipping, Nesterov
from models.training.updates.chunk_updater import ChunkUpdater
from models.training.updates.gradient import ComposedGradient
from models.training.updates.stacked_techniques import StackedTechniques
from models.training.updates.tallies import Tallies, Tally
from models.trial import Trial

PROCESSES, T, D = 2, 100, 88
SIZES = ((16, 100), (32, 100), (16, 200), (32, 200), (16, 500), (32, 500))
GATES = {100: (3.0, 5.0), 200: (2.2, 3.5), 500: (1.7, 2.5)}
"""How many times as fast as plain PyTorch: gate and aim of each number of units."""
BARE_GATES = {100: (2.2, 1.0), 200: (1.6, 1.0), 500: (1.3, 1.0)}
"""How many times the time of its multiply-adds in a bare loop."""
OTHER_OUTPUTS = ("nade", "classes")
OTHER_SIZES = ((16, 100), (16, 200))
WORDS = 10_000
GATED_LANES = 16
BARE = "bare loop"
RATE, MOMENTUM, CLIP = 1e-3, 0.9, 15.0
TURN_SECONDS = 0.15
WAYS = {"plain": {"foreach": False}, "plain, foreach": {"foreach": True}, "plain, fused": {"fused": True}}
"""How torch clips and steps."""


@dataclass(frozen=True)
class Row:
    """Medians of one size: milliseconds of each contender, how many times as fast ours is as the fastest other, and how
    many times as long as its multiply-adds in a bare loop."""

    B: int
    H: int
    milliseconds: dict[str, float]
    ratio: float
    of_bare: float | None


def music(B: int) -> Tensor:
    """Frames (T, B, D) in which a note goes on with probability 0.75, and 4 of 88 are on."""
    random = torch.Generator().manual_seed(0)
    share, stays = 4 / D, 0.75
    begins = share * (1 - stays) / (1 - share)
    frames = [(torch.rand(B, D, generator=random) < share).float()]
    for _ in range(T - 1):
        frames.append((torch.rand(B, D, generator=random) < torch.where(frames[-1] > 0, stays, begins)).float())
    return torch.stack(frames)


def zipf() -> Tensor:
    """Frequencies of words, of which the w-th comes 1 / w as often as the first."""
    shares = 1 / torch.arange(1.0, WORDS + 1)
    return shares / shares.sum()


def words(B: int) -> Tensor:
    """Symbols (T, B) of these frequencies."""
    random = torch.Generator().manual_seed(0)
    return torch.multinomial(zipf(), T * B, replacement=True, generator=random).view(T, B)


def ours(data: Tensor, H: int, output: str = "bernoulli", by_parts: bool = False) -> Callable[[], object]:
    B = data.shape[1]
    trial = Trial(
        corpus="0" * 64,
        output=output,
        techniques=(Clipping(CLIP), Nesterov(MOMENTUM)),
        hidden_size=H,
        learning_rate=RATE,
        chunk=T,
        batch=B,
        epochs=1,
        seed=0,
    )
    network = Network(trial, zipf() if trial.output_type.symbols else torch.full((D,), 4 / D))
    updater = ChunkUpdater(network)
    if by_parts:
        techniques = StackedTechniques([trial.techniques], network.parameters.theta_SP)
        updater.gradient = ComposedGradient(network, techniques, updater.streams.dropout, updater.streams.chains, None)
    tallies, rate_S1 = Tallies([Tally()], torch.device("cpu")), torch.tensor([[RATE]])
    every_TB, fresh_B, piece_B = torch.ones(T, B, dtype=torch.bool), torch.zeros(B, dtype=torch.bool), range(B)
    carried: list[Tensor | None] = [None]

    def step() -> None:
        # afresh: nothing of it is kept
        chunk = Chunk(data, every_TB, every_TB, fresh_B, torch.tensor(piece_B).numpy())
        carried[0] = updater.update(chunk, carried[0], rate_S1, tallies)

    return step


def theirs(data: Tensor, H: int, way: dict[str, bool]) -> Callable[[], object]:
    B = data.shape[1]
    torch.manual_seed(0)
    rnn, output = torch.nn.RNN(D, H), torch.nn.Linear(H, D)
    initial_H = torch.nn.Parameter(torch.zeros(H))
    parameters = [*rnn.parameters(), *output.parameters(), initial_H]
    optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM, nesterov=True, **way)
    fresh_B1 = torch.zeros(B, 1, dtype=torch.bool)
    carried: list[Tensor] = [torch.zeros(B, H)]

    def step() -> None:
        start_BH = torch.where(fresh_B1, initial_H, carried[0])
        states_TBH, last = rnn(data, start_BH.unsqueeze(0))
        # the first frame from the state before it, the others from the states in their places: nothing is copied
        logits = linear(states_TBH[:-1], output.weight, output.bias)
        nll = binary_cross_entropy_with_logits(logits, data[1:], reduction="sum")
        nll = nll + binary_cross_entropy_with_logits(output(start_BH), data[0], reduction="sum")
        optimizer.zero_grad()
        (nll / B).backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP, foreach=way.get("foreach"))
        optimizer.step()
        if not nll.item() < 1e9:
            raise FloatingPointError("the plain step diverged")
        carried[0] = last[0].detach()

    return step


def multiply_adds(data: Tensor, H: int) -> float:
    """Operations of a step's products: the scan and its gradients, the notes' and theirs, the inputs that are not 0."""
    steps = data.shape[0] * data.shape[1]
    return 6.0 * steps * H * (H + D) + 4.0 * float(data.sum()) * H


def seconds(step: Callable[[], object], steps: int) -> float:
    began = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - began) / steps


def work(B: int, H: int, turns: int, barrier: Barrier) -> dict[str, list[float]]:
    """One of the processes: seconds of a step of each contender in each turn."""
    torch.set_num_threads(1)
    data = music(B)
    runs = {"ours": ours(data, H)} | {name: theirs(data, H, way) for name, way in WAYS.items()}
    steps = {name: max(1, round(TURN_SECONDS / min(seconds(run, 2) for _ in range(2)))) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    loop, operations = bare_loop(), multiply_adds(data, H)
    for turn in range(turns + 1):
        for name, run in runs.items():
            barrier.wait()
            taken = seconds(run, steps[name])
            if turn:  # the first one warms up
                times[name].append(taken)
        barrier.wait()
        if loop is not None and (bare := operations / speed(loop)) and turn:
            times.setdefault(BARE, []).append(bare)
    return times


def measure_other(output: str, B: int, H: int, turns: int) -> dict[str, str | int | float]:
    """Medians of another output model, in this process alone: milliseconds both ways, and their ratio."""
    data = words(B) if output == "classes" else music(B)
    runs = {by_parts: ours(data, H, output, by_parts) for by_parts in (False, True)}
    steps = {by_parts: max(1, round(TURN_SECONDS / seconds(run, 2))) for by_parts, run in runs.items()}
    turn = [{by_parts: seconds(run, steps[by_parts]) for by_parts, run in runs.items()} for _ in range(turns)]
    compiled, parts = (round(1e3 * statistics.median(times[way] for times in turn), 3) for way in (False, True))
    ratio = round(statistics.median(times[True] / times[False] for times in turn), 3)
    return {"output": output, "B": B, "H": H, "compiled": compiled, "parts": parts, "ratio": ratio}


_barrier: list[Barrier] = []


def _with_barrier(barrier: Barrier) -> None:
    _barrier.append(barrier)


def _work(job: tuple[int, int, int]) -> dict[str, list[float]]:
    return work(*job, _barrier[0])


def measure(B: int, H: int, turns: int) -> Row:
    context = get_context("spawn")
    with context.Pool(PROCESSES, _with_barrier, (context.Barrier(PROCESSES),)) as pool:
        of_both = pool.map(_work, [(B, H, turns)] * PROCESSES, chunksize=1)
    ratios, bare, milliseconds = [], [], {}
    for times in of_both:
        bare += [mine / least for mine, least in zip(times["ours"], times.get(BARE, ()), strict=False)]
        fastest = map(min, *(times[name] for name in WAYS))
        ratios += [other / mine for other, mine in zip(fastest, times["ours"], strict=True)]
    for name in of_both[0]:
        milliseconds[name] = round(1e3 * statistics.median(t for times in of_both for t in times[name]), 3)
    of_bare = round(statistics.median(bare), 3) if bare else None
    return Row(B, H, milliseconds, round(statistics.median(ratios), 3), of_bare)


def main() -> None:
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows = [measure(*size, turns) for size in SIZES]
    gates = []
    print(f"{'B':>4}{'H':>6}" + "".join(f"{name + ', ms':>20}" for name in rows[0].milliseconds) + f"{'ratio':>8}")
    for row in rows:
        print(f"{row.B:4}{row.H:6}" + "".join(f"{ms:20.2f}" for ms in row.milliseconds.values()) + f"{row.ratio:8.2f}")
        if row.B != GATED_LANES:
            continue
        case, (gate, aim) = f"H {row.H}, B {row.B}", GATES[row.H]
        gates.append(Gate("training step / plain PyTorch", case, gate, aim, row.ratio, row.ratio >= gate))
        if row.of_bare is not None:
            gate, aim = BARE_GATES[row.H]
            gates.append(Gate("training step, time / bare loop", case, gate, aim, row.of_bare, row.of_bare <= gate))
    for each in gates:
        word = "met" if each.met else "missed"
        print(f"{each.name:32}{each.case:14}{each.gate:7.2f}{each.aim:7.2f}{each.measured:10.2f}  {word}")
    torch.set_num_threads(1)
    others = [measure_other(output, *size, turns) for output in OTHER_OUTPUTS for size in OTHER_SIZES]
    for other in others:
        print(", ".join(f"{name} {value}" for name, value in other.items()))
    document = {
        "turns": turns,
        "processes": PROCESSES,
        "body": scan_kernel(),
        "environment": WORKER_ENVIRONMENT,
        "rows": [asdict(row) for row in rows],
        "other_outputs": others,
        "gates": [asdict(each) for each in gates],
    }
    keep("training_step", document)


if __name__ == "__main__":
    main()
