"""The number of GPUs of this machine, from the system: asking torch would take a second and create a GPU context.

COUNTERPOINT_DEVICE=cpu means that no GPU is used. Only NVIDIA's devices are counted here. Those of other makers are
found by torch (`tasks/trials/devices.py`); the user must then give the number of workers.
"""

import os
from pathlib import Path

from dask.system import CPU_COUNT

DEVICE_VARIABLE = "COUNTERPOINT_DEVICE"


def gpu_count(devices: Path = Path("/dev")) -> int:
    """The number of GPUs that workers may use; CUDA_VISIBLE_DEVICES limits it if it is set."""
    found = sum(path.name.removeprefix("nvidia").isdigit() for path in devices.glob("nvidia*"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if os.environ.get(DEVICE_VARIABLE) == "cpu":
        return 0
    return found if visible is None else min(found, len([each for each in visible.split(",") if each.strip()]))


def default_workers() -> int:
    """Default number of worker processes on this machine: one for each GPU, or without a GPU one for each core."""
    return gpu_count() or CPU_COUNT
