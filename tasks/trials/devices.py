"""Where a worker trains, and how many trials side by side there.

On a GPU where torch finds one, else on the processor; COUNTERPOINT_DEVICE says `cpu` or `cuda` for certain. A processor
trains one trial after the other, each of them hot in its cache: that is as fast as a stack there, and gives each the
numbers that it has alone to the bit. On a GPU a small network leaves most of the device idle, so as many trials of one
shape go together as fit into half of the memory that is free.

Shape letters: T time, B batch, D width of the data, H hidden.
"""

import os
from collections.abc import Sequence

import distributed
import torch

from infra.cluster.gpus import DEVICE_VARIABLE
from infra.errors import ConfigurationError
from models.training.memory import member_bytes
from models.trial import Trial

MOST = 256
"""Members of a stack: more would fail together where one thing goes wrong."""


def training_device() -> torch.device:
    """The device of this process; of several GPUs, that with the number of the worker.

    Raises:
        ConfigurationError: COUNTERPOINT_DEVICE says something else than cpu or cuda, or cuda where there is none.
    """
    wanted = os.environ.get(DEVICE_VARIABLE, "")
    if wanted not in ("", "cpu", "cuda"):
        raise ConfigurationError(f"{DEVICE_VARIABLE}: {wanted!r} is no device; set it to cpu or cuda, or to nothing")
    if wanted == "cpu" or not torch.cuda.is_available():
        if wanted == "cuda":
            raise ConfigurationError(
                f"{DEVICE_VARIABLE}: cuda, but torch finds no GPU here; set it to cpu or to nothing"
            )
        return torch.device("cpu")
    return torch.device("cuda", _number_of_worker() % torch.cuda.device_count())


def _number_of_worker() -> int:
    try:
        name = distributed.get_worker().name
    except ValueError:
        return 0
    return name if isinstance(name, int) else 0


def members_at_once(trial: Trial, width: int, device: torch.device) -> int:
    """How many trials of a shape train side by side there."""
    if device.type == "cpu":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(MOST, free // 2 // member_bytes(trial, width)))


def stacks(trials: Sequence[Trial], most: int) -> list[list[Trial]]:
    """Trials of one shape together, at most so many; in the order in which the shapes first come.

    >>> stacks([], 3)
    []
    """
    by_shape: dict[object, list[Trial]] = {}
    for trial in trials:
        by_shape.setdefault(trial.shape, []).append(trial)
    return [some[start : start + most] for some in by_shape.values() for start in range(0, len(some), most)]
