"""The device on which a worker trains, and the number of trials that it trains side by side.

The device is a GPU if torch finds one, else the processor; COUNTERPOINT_DEVICE=`cpu` or `cuda` decides it. A processor
trains one trial after the other. That is as fast as a stack there, because one network fits into the cache, and each
trial has bit for bit the numbers that it has alone. On a GPU a small network leaves most of the device idle. So as many
trials of one shape are trained together as fit into half of the free memory.

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


def training_device(processes: int = 1) -> torch.device:
    """The device of this process. With several GPUs, the worker's number chooses one, or the first of its `processes`.

    Raises:
        ConfigurationError: COUNTERPOINT_DEVICE is neither cpu nor cuda, or it is cuda and there is no GPU.
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
    return torch.device("cuda", _number_of_worker() * processes % torch.cuda.device_count())


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
    """Group trials of one shape into stacks of at most `most`, in the order in which the shapes first appear.

    >>> stacks([], 3)
    []
    """
    by_shape: dict[object, list[Trial]] = {}
    for trial in trials:
        by_shape.setdefault(trial.shape, []).append(trial)
    return [group[start : start + most] for group in by_shape.values() for start in range(0, len(group), most)]
