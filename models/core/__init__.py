"""Recurrent cores, which compute the next state from inputs and a state. A new core is a file here and a tuple entry.

`rnn.py` is the paper's network: inputs and weights around the leaky scan. `lstm.py` and `gru.py` are the gated cores of
later practice. `frame.py` has no memory. Never in this room: costs, outputs or updates.
"""

from models.core.base import Core
from models.core.frame import Frame
from models.core.gru import GRU
from models.core.lstm import LSTM
from models.core.rnn import RNN
from models.core.scan.choice import scan_kernel, use_kernel
from models.core.scan.operation import leaky_scan

CORES: tuple[type[Core], ...] = (RNN, LSTM, GRU, Frame)
"""Every core; its `name` is used in the names of variants."""

__all__ = ["CORES", "GRU", "LSTM", "RNN", "Core", "Frame", "leaky_scan", "scan_kernel", "use_kernel"]
