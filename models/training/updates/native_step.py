"""One step of the parameters by compiled code, `step.cpp`: scale the gradient, step and measure, in one pass.

It supports a single trial on a CPU, with plain SGD and no technique that acts on gradient or step except clipping and
Nesterov momentum. All other trials use the hooks of techniques and optimizer, each of which is a pass through memory.
The results agree up to rounding.

Shape letters: S stacked trials, here 1, P parameters in a row.
"""

import ctypes
from math import inf

from torch import Tensor

from models.core.scan.choice import kernel_for
from models.native.library import call
from models.network import Network
from models.optimizers import SGD
from models.parameters import Parameters
from models.techniques import Clipping, Nesterov, Technique

_ACTING = ("transform_", "step_")


class _Arguments(ctypes.Structure):
    """The argument structure of `step.cpp`."""

    _fields_ = (
        ("P", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("theta", "velocity", "gradient")),
        *((name, ctypes.c_double) for name in ("scale", "rate", "momentum", "ratio")),
    )


def serves(network: Network) -> bool:
    """Whether compiled code can make the steps: a single supported trial, where the scan uses its native kernel.

    Raises:
        ValueError: a setting forces a kernel that cannot be used here.
    """
    theta_SP = network.parameters.theta_SP
    if len(network.trials) != 1 or network.trial.optimizer_type is not SGD:
        return False
    if not all(type(technique) in (Clipping, Nesterov) for technique in _acting(network.trial.techniques)):
        return False
    return kernel_for(theta_SP.device, theta_SP.dtype).name == "native"


def _acting(techniques: tuple[Technique, ...]) -> list[Technique]:
    """The techniques that act on the gradient or on the step."""
    base = Technique
    return [
        each for each in techniques if any(getattr(type(each), hook) is not getattr(base, hook) for hook in _ACTING)
    ]


class NativeStep:
    """The steps of a network that `serves` accepts.

    Args:
        network: of one trial; changed in place.
    """

    def __init__(self, network: Network):
        self._parameters: Parameters = network.parameters
        clipping, nesterov = network.trial.technique("C"), network.trial.technique("M")
        self._threshold = float(clipping.threshold) if isinstance(clipping, Clipping) else inf
        self._momentum = float(nesterov.momentum) if isinstance(nesterov, Nesterov) else None

    def __call__(self, velocity_SP: Tensor, norm: float, rate: float) -> tuple[bool, float]:
        """One step along the gradient in the parameters' gradient row, which is not changed.

        Args:
            velocity_SP: velocity of the momentum, changed in place; not used without momentum.
            norm: of the gradient, finite.
            rate: eps.

        Returns:
            Whether the gradient was made smaller, and the size of the step relative to the parameters before it.
        """
        theta_SP, gradient_SP = self._parameters.theta_SP, self._parameters.gradient_SP
        scale = self._threshold / norm if norm >= self._threshold else 1.0
        arguments = _Arguments(
            P=theta_SP.shape[1],
            theta=theta_SP.data_ptr(),
            velocity=None if self._momentum is None else velocity_SP.data_ptr(),
            gradient=gradient_SP.data_ptr(),
            scale=scale,
            rate=rate,
            momentum=self._momentum or 0.0,
        )
        call("step", theta_SP.dtype, arguments)
        return scale < 1 - 1e-6, float(arguments.ratio)
