"""Recurrent cores: what turns inputs and a state into the next state.

The leaky scan is the one operation everything stands on; `rnn.py` puts inputs and weights around it.
Nothing here knows of costs, outputs or updates.
"""

from models.core.bodies import scan_body, use_body
from models.core.rnn import RNN
from models.core.scan import leaky_scan

__all__ = ["RNN", "leaky_scan", "scan_body", "use_body"]
