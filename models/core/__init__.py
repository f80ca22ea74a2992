"""Recurrent cores: what turns inputs and a state into the next state. A new one is a file here and a name in the tuple.

The leaky scan is the one operation that the paper stands on; `rnn.py` puts inputs and weights around it. `lstm.py` and
`gru.py` are what practice took up since; `frame.py` has no memory at all. Nothing here knows of costs, outputs or
updates.
"""

from models.core.base import Core
from models.core.frame import Frame
from models.core.gru import GRU
from models.core.lstm import LSTM
from models.core.rnn import RNN
from models.core.scan.choice import scan_body, use_body
from models.core.scan.operation import leaky_scan

CORES: tuple[type[Core], ...] = (RNN, LSTM, GRU, Frame)
"""Every core; `name` is what a variant calls it."""

__all__ = ["CORES", "GRU", "LSTM", "RNN", "Core", "Frame", "leaky_scan", "scan_body", "use_body"]
