"""Choose the kernel of the leaky scan, that is its implementation: native, reference or Triton.

A kernel can be forced by the variable COUNTERPOINT_SCAN, or inside `use_kernel`. Otherwise the native kernel is used if
it can be built and supports the device and the type, else the reference. The Triton kernel is used only if it is
forced; layers too wide for it use the reference. Kernels agree up to rounding, not to the bit, so results record which
kernel computed them, in the field `scan_body`.

Shape letters: S stacked trials, T time, B lanes, H hidden.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import torch
from torch import Tensor

from models.core.scan import native, reference
from models.core.scan.activation import Activation
from models.native import library

VARIABLE = "COUNTERPOINT_SCAN"
_forced: ContextVar[str | None] = ContextVar("forced", default=None)


class Backward(Protocol):
    """The backward pass of a kernel: d_pre, d_h0, and d_W where `weight` asks for it."""

    def __call__(  # noqa: D102
        self,
        d_states_STBH: Tensor,
        h0_SBH: Tensor,
        W_SHH: Tensor,
        retention_SH: Tensor | None,
        states_STBH: Tensor,
        phi_STBH: Tensor | None,
        activation: Activation,
        weight: bool,
    ) -> tuple[Tensor, Tensor, Tensor | None]: ...


@dataclass(frozen=True)
class Kernel:
    """The three functions of a kernel; shapes and formulas are in `reference.py`.

    Attributes:
        name: in the setting and in provenance.
        forward: (pre, h0, W, retention, activation) -> states, and phi if units leak.
        backward: (d_states, h0, W, retention, states, phi, activation, weight) -> d_pre, d_h0, d_W.
        tangent: (pre, h0, W, retention, phi, activation) -> states of the linear scan.
    """

    name: str
    forward: Callable[[Tensor, Tensor, Tensor, Tensor | None, Activation], tuple[Tensor, Tensor | None]]
    backward: Backward
    tangent: Callable[[Tensor, Tensor, Tensor, Tensor | None, Tensor, Activation], Tensor]


NAMES = ("reference", "native", "triton")
_REFERENCE = Kernel("reference", reference.forward, reference.backward, reference.tangent)
_NATIVE = Kernel("native", native.forward, native.backward, native.tangent)


def kernel_for(device: torch.device, dtype: torch.dtype, units: int = 1) -> Kernel:
    """The kernel for tensors of this device and type and this many hidden units.

    Raises:
        ValueError: the forced kernel does not exist, or cannot be used here.
    """
    forced = _forced.get() or os.environ.get(VARIABLE) or None
    if forced is not None and forced not in NAMES:
        raise ValueError(f"{VARIABLE}: {forced!r} is none of {', '.join(NAMES)}")
    if forced == "reference":
        return _REFERENCE
    if forced == "triton":
        return _triton(device, dtype, units)
    why_not = _why_not_native(device, dtype)
    if forced == "native" and why_not is not None:
        raise ValueError(f"{VARIABLE}: the native kernel cannot be used: {why_not}")
    return _NATIVE if why_not is None else _REFERENCE


def scan_kernel(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> str:
    """The name of the kernel in use, for provenance.

    >>> with use_kernel("reference"):
    ...     scan_kernel()
    'reference'
    """
    return kernel_for(torch.device(device), dtype).name


@contextmanager
def use_kernel(name: str) -> Iterator[None]:
    """Force a kernel inside the block, in this thread; this overrides COUNTERPOINT_SCAN.

    Raises:
        ValueError: no kernel has that name.
    """
    if name not in NAMES:
        raise ValueError(f"use_kernel: {name!r} is none of {', '.join(NAMES)}")
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)


def why_not_triton() -> str | None:
    """The reason why the Triton kernel cannot be used here, in one line; None if it can."""
    if find_spec("triton") is None:
        return "triton is not installed"
    if os.environ.get("TRITON_INTERPRET") == "1" or torch.cuda.is_available():
        return None
    return "there is no GPU, and TRITON_INTERPRET=1 is not set"


def _triton(device: torch.device, dtype: torch.dtype, units: int) -> Kernel:
    why_not = why_not_triton()
    if why_not is None and dtype not in (torch.float32, torch.float64):
        why_not = _types(dtype)
    if why_not is not None:
        raise ValueError(f"{VARIABLE}: the triton kernel cannot be used: {why_not}")
    # Imported here, since triton comes only with torch's GPU builds.
    from models.core.scan import triton

    if not triton.INTERPRETED and device.type != "cuda":
        raise ValueError(f"{VARIABLE}: the triton kernel cannot be used: it runs on cuda, not on {device.type}")
    if units > triton.LIMIT:
        return _REFERENCE
    return Kernel("triton", triton.forward, triton.backward, triton.tangent)


def _why_not_native(device: torch.device, dtype: torch.dtype) -> str | None:
    if device.type != "cpu":
        return f"it runs on cpu, not on {device.type}"
    return library.reason() if dtype in library.SUFFIXES else _types(dtype)


def _types(dtype: torch.dtype) -> str:
    return f"it computes in float32 and float64, not in {str(dtype).removeprefix('torch.')}"
