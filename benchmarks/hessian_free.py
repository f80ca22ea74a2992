"""A Gauss-Newton product against a gradient, on one thread, and what a step of Hessian-free pays for beside products.

Run it on a quiet machine: `python -m benchmarks.hessian_free [TURNS]`. Prints a table and writes it with the hardware
to benchmarks/results/hessian_free.json. Random music of 88 notes, a chunk of 32 lanes and 100 steps; the gradient is
that of a training step, of forward pass, cost and backward pass in all parameters. Contenders take turns, and every
figure is a median over turns of ratios within one turn. The products use one forward pass that is kept; `by torch.func`
is what a product costs without that.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.keeping import keep
from models.core import scan_kernel
from models.data.chunks import Pieces, chunks
from models.network import Network
from models.outputs.logits import LogitOutput
from models.techniques import Leaky
from models.training.updates.objective import NetworkObjective
from models.trial import Trial

CASES = (
    *((units, "bernoulli", leaky) for units in (100, 200, 400) for leaky in (False, True)),
    (200, "nade", False),
)
T, B, NOTES = 100, 32, 88
GATE, AIM = 1.6, 1.25
PRODUCTS = "Gauss-Newton product / gradient"


def network(units: int, pieces: Pieces, output: str, leaky: bool) -> Network:
    trial = Trial(
        corpus="0" * 64,
        output=output,
        optimizer="HF",
        techniques=(Leaky(0.5, "update-rate"),) if leaky else (),
        hidden_size=units,
        learning_rate=10.0,
        chunk=T,
        batch=B,
        epochs=1,
        seed=1,
    )
    return Network.for_data(trial, pieces, NOTES)


def contenders(units: int, output: str, leaky: bool) -> dict[str, Callable[[], object]]:
    random = np.random.default_rng(0)
    pieces = Pieces.from_arrays([(random.random((T, NOTES)) < 0.045).astype(np.uint8) for _ in range(B)])
    net = network(units, pieces, output, leaky)
    model = net.output
    if not isinstance(model, LogitOutput):
        raise TypeError(f"{output}: wants an output model with logits")
    (chunk,) = chunks(pieces, list(range(B)), B, T)
    objective = NetworkObjective(
        core=net.core,
        output=model,
        parameters=net.parameters,
        retention_SH=net.retention_SH,
        learned=True,
        techniques=(),
        chunks=[chunk],
    )
    direction_P = torch.randn(net.parameters.theta_SP.shape[1], generator=torch.Generator().manual_seed(0))
    values = {name: value.detach() for name, value in net.parameters.by_name.items()}
    moved = net.parameters.split(direction_P.unsqueeze(0))

    def logits(parameters: dict[str, Tensor]) -> Tensor:
        start = parameters["initial_state"].unsqueeze(1).expand(1, B, -1).contiguous()
        states, _ = net.core.states(parameters, chunk.inputs, start, net.retention_SH)
        before = torch.cat([start.unsqueeze(1), states[:, :-1]], dim=1)
        return model.logits(parameters, chunk.scored(before), chunk.scored(chunk.inputs))

    def gradient() -> None:
        start = net.start(None, chunk.fresh)
        states, _ = net.states(chunk.inputs, start)
        nats = net.log_likelihood(chunk.scored(states[:, :-1]), chunk.scored(chunk.inputs))
        net.parameters.differentiate(-nats.sum())

    def by_torch_func() -> object:
        z, z_moved = torch.func.jvp(logits, (values,), (moved,))
        _, back = torch.func.vjp(logits, values)
        p = torch.sigmoid(z)
        return back(p * (1 - p) * z_moved)

    found: dict[str, Callable[[], object]] = {
        "gradient": gradient,
        "product": lambda: objective.product(direction_P, 0.0),
        "product, structural": lambda: objective.product(direction_P, 0.1),
        "slope": objective.slope,
        "cost": lambda: objective.cost(net.parameters.theta_SP[0]),
    }
    # torch.func has no rule for an order of notes that depends on the data.
    return found | ({"product by torch.func": by_torch_func} if output == "bernoulli" else {})


def measure(units: int, output: str, leaky: bool, turns: int) -> dict[str, float]:
    """Milliseconds of the gradient, and the other medians as ratios to it."""
    runs = contenders(units, output, leaky)
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            several = []
            for _ in range(5):
                began = time.perf_counter()
                run()
                several.append(time.perf_counter() - began)
            times[name].append(statistics.median(several))
    row = {"gradient, ms": round(1e3 * statistics.median(times["gradient"]), 2)}
    for name in runs:
        if name != "gradient":
            pairs = zip(times[name], times["gradient"], strict=True)
            row[f"{name} / gradient"] = round(statistics.median(mine / its for mine, its in pairs), 3)
    return row


def main() -> None:
    torch.set_num_threads(1)
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    rows: list[dict[str, object]] = []
    gates: list[dict[str, object]] = []
    for units, output, leaky in CASES:
        row = measure(units, output, leaky, turns)
        case = {"H": units, "output": output, "leaky": leaky}
        rows.append(case | row)
        print(f"{output}, H {units}{', leaky' if leaky else ''}:  " + "   ".join(f"{k} {v}" for k, v in row.items()))
        measured = row["product, structural / gradient"]
        gates.append(
            {"name": PRODUCTS, **case, "gate": GATE, "aim": AIM, "measured": measured, "met": measured <= GATE}
        )
    document = {
        "turns": turns,
        "scan_body": scan_kernel(),
        "rows": rows,
        "gates": gates,
    }
    keep("hessian_free", document)


if __name__ == "__main__":
    main()
