"""The techniques of the paper, one file each. A new one is a file here and a name in the tuple.

Nothing here knows of data, outputs or training; training asks the hooks of `base.Technique`.
"""

from models.techniques.base import Technique
from models.techniques.clipping import Clipping
from models.techniques.leaky import Leaky
from models.techniques.nesterov import Nesterov
from models.techniques.rectifier import Rectifier

TECHNIQUES: tuple[type[Technique], ...] = (Clipping, Leaky, Rectifier, Nesterov)
"""Every technique, in the order in which the paper writes their letters: SGD+CLRM."""

__all__ = ["TECHNIQUES", "Clipping", "Leaky", "Nesterov", "Rectifier", "Technique"]
