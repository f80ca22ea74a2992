"""The memory of a trial during training, estimated from its shape.

`tasks/trials/devices.py` chooses by it how many trials train side by side on a GPU.
"""

from math import prod

from models.trial import Trial

_BYTES = 4
"""Bytes of a float32."""


def member_bytes(trial: Trial, width: int) -> int:
    """Estimated memory of one member of a stack in an update: activations, logits, and six rows of parameters.

    With averaged parameters there are two rows more: the average, and its value before the update.

    Args:
        trial: of the stack's shape.
        width: notes or symbols D.

    Returns:
        Bytes: 4 (T B (4 G + 4 H + 4 D) + R P), for T steps of B lanes, G gates, H units and R rows of P parameters.
    """
    core = trial.core_type(width, trial.hidden_size, trial.network_activation)
    output = trial.output_type(width, trial.hidden_size, trial.output_settings)
    parameters = sum(prod(shape) for shape in (core.shapes() | output.shapes()).values())
    gates = core.shapes()["bias"][0]
    cells = trial.chunk * trial.batch
    rows = 8 if trial.averaging > 0 else 6
    return _BYTES * (cells * (4 * gates + 4 * trial.hidden_size + 4 * width) + rows * parameters)
