"""Run a whole chunk of a simple recurrent network in compiled code; this module is the only caller of `chunk.cpp`.

It supports a single trial on a CPU, with Bernoulli notes, NADE, or a softmax, whole or by classes. All other trials use
the core and the output model one after the other.

Shape letters: S stacked trials, here 1, T time, B batch, H hidden, K carried numbers a lane, P parameters in a row.
"""

import ctypes
from typing import Literal

import torch
from torch import Tensor

from models.core import RNN
from models.core.scan.choice import kernel_for
from models.core.scan.native import NUMBERS
from models.data.chunks import Chunk
from models.native.library import call
from models.network import Network
from models.outputs import Bernoulli, ClassSoftmax, Nade, Softmax

_OUTPUTS = {Bernoulli: 0, Softmax: 1, Nade: 2, ClassSoftmax: 3}
_SIZES = ("T", "B", "D", "H", "U", "K", "N", "P", "activation", "output", "learned", "threads")
_PLACES = (
    *("input_weight", "recurrent_weight", "bias", "initial_state", "output_weight", "output_bias"),
    *("hidden_weight", "hidden_bias", "from_hidden", "to_hidden", "class_weight", "class_bias"),
)
_POINTERS = (
    *("theta", "retention", "carried", "inputs", "targets", "fresh", "unpadded", "scored", "factors"),
    *("order", "class_of", "column_of", "class_starts"),
    *("path", "d_path", "pre", "phi", "onward", "gradient", "ll"),
)


class _Arguments(ctypes.Structure):
    """The argument structure of `chunk.cpp`."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _SIZES + _PLACES),
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_double) for name in ("nll", "divisor", "norm")),
    )


def serves(network: Network) -> bool:
    """Whether compiled code can run this network: a single supported trial, where the scan uses its native kernel.

    Raises:
        ValueError: a setting forces a kernel that cannot be used here.
    """
    theta_SP = network.parameters.theta_SP
    if type(network.core) is not RNN or type(network.output) not in _OUTPUTS or len(network.trials) != 1:
        return False
    return kernel_for(theta_SP.device, theta_SP.dtype).name == "native"


class NativeChunk:
    """A network prepared for compiled code, which runs one chunk after the other.

    Args:
        network: of one trial, accepted by `serves`; its parameters stay in their memory.
    """

    def __init__(self, network: Network):
        self.network, self._like = network, network.parameters.theta_SP
        order = network.output.settings.order if isinstance(network.output, Nade) else ()
        self._order = torch.tensor(order or range(network.output.width))
        tables = ("class_of", "column_of", "class_starts")
        self._tables = {name: network.named[name].contiguous() for name in tables if name in network.named}
        # Offsets of the parameters, which are views of one row.
        parts = network.parameters.split(self._like)
        self._arguments = _Arguments(
            **{name: part.storage_offset() - self._like.storage_offset() for name, part in parts.items()},
            D=network.output.width,
            H=network.trial.hidden_size,
            U=parts["hidden_bias"].shape[1] if "hidden_bias" in parts else 0,
            K=parts["class_bias"].shape[1] if "class_bias" in parts else 0,
            order=_pointer(self._order),
            **{name: _pointer(table) for name, table in self._tables.items()},
            P=self._like.shape[1],
            activation=NUMBERS[network.core.activation],
            output=_OUTPUTS[type(network.output)],
            learned=network.trial.initial_state == "learned",
            threads=torch.get_num_threads(),
            theta=self._like.data_ptr(),
            gradient=network.parameters.gradient_SP.data_ptr(),
            retention=_pointer(network.retention_SH),
        )
        self._held: dict[str, Tensor | None] = {}

    def prepare(self, chunk: Chunk, carried_SBK: Tensor | None, **others: Tensor | None) -> Tensor:
        """Set the pointers to a chunk, its start state and other named memory; return the memory of the final state.

        Raises:
            ValueError: the data have another type or width than the network's.
        """
        output, data = self.network.output, chunk.inputs
        wanted, shape = torch.int64 if output.symbols else self._like.dtype, tuple(data.shape)
        if data.dtype != wanted or shape[3:] != (() if output.symbols else (output.width,)):
            raise ValueError(f"data: wants {wanted}, {output.width} wide, got {data.dtype} of shape {shape}")
        onward_SBK = self._like.new_empty(1, data.shape[2], self.network.trial.hidden_size)
        given = {"inputs": data, "targets": data, "carried": carried_SBK, "onward": onward_SBK}
        given |= {"fresh": chunk.fresh, "unpadded": chunk.unpadded_mask, **others}
        # Kept alive here, since compiled code reads and writes this memory.
        self._held = {name: None if tensor is None else tensor.contiguous() for name, tensor in given.items()}
        for name, tensor in self._held.items():
            setattr(self._arguments, name, _pointer(tensor))
        self._arguments.T, self._arguments.B, self._arguments.N = data.shape[1], data.shape[2], chunk.scored_steps
        return onward_SBK

    def run(self, name: Literal["forward", "backward", "score"]) -> None:
        """Call a function of `chunk.cpp`.

        Raises:
            ValueError: a symbol is not in the vocabulary.
        """
        if call(f"chunk_{name}", self._like.dtype, self._arguments):
            raise ValueError(f"symbols: wants numbers from 0 to {self.network.output.width - 1}")

    def log_likelihood(self, chunk: Chunk, carried_SBK: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log-likelihood of every step, padding included, in nats, (1, T, B); and the state carried on.

        Raises:
            ValueError: as for `prepare` and `run`.
        """
        ll_STB = self._like.new_empty(1, *chunk.unpadded_TB.shape)
        onward_SBK = self.prepare(chunk, carried_SBK, ll=ll_STB)
        self.run("score")
        return ll_STB, onward_SBK

    @property
    def nll(self) -> float:
        """Negative log-likelihood of the scored steps, after `forward`."""
        return float(self._arguments.nll)

    def differentiate(self, divisor: float) -> float:
        """Compute the gradient, divided by `divisor`, into the parameters' gradient row; return its norm."""
        self._arguments.divisor = divisor
        self.run("backward")
        return float(self._arguments.norm)


def _pointer(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
