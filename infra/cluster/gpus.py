"""How many GPUs this machine has to train on: asked of the system, since asking torch takes a second and a context.

COUNTERPOINT_DEVICE=cpu means that none is to be used. Other makers' devices than NVIDIA's are found by torch alone, in
`tasks/trials/devices.py`; then the number of workers is to be given.
"""

import os
from pathlib import Path

from dask.system import CPU_COUNT

DEVICE_VARIABLE = "COUNTERPOINT_DEVICE"


def gpu_count(devices: Path = Path("/dev")) -> int:
    """How many GPUs there are that a worker may use: those of CUDA_VISIBLE_DEVICES where it is set."""
    found = sum(path.name.removeprefix("nvidia").isdigit() for path in devices.glob("nvidia*"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if os.environ.get(DEVICE_VARIABLE) == "cpu":
        return 0
    return found if visible is None else min(found, len([each for each in visible.split(",") if each.strip()]))


def default_workers() -> int:
    """Processes on this machine where nothing is asked: one a GPU, or else one a core."""
    return gpu_count() or CPU_COUNT
