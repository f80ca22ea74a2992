"""The techniques of the paper, and pre-training, one file each. A new one is a file here and a name in the tuple.

Nothing here knows of data, outputs or training; training asks the hooks of `base.Technique`.
"""

from models.techniques.base import Technique
from models.techniques.clipping import Clipping
from models.techniques.leaky import Leaky
from models.techniques.nesterov import Nesterov
from models.techniques.pretraining import Pretraining
from models.techniques.rectifier import Rectifier

TECHNIQUES: tuple[type[Technique], ...] = (Clipping, Leaky, Rectifier, Nesterov, Pretraining)
"""Every technique, in the order in which the paper writes their letters: SGD+CLRM; then P, of another paper."""

__all__ = ["TECHNIQUES", "Clipping", "Leaky", "Nesterov", "Pretraining", "Rectifier", "Technique"]
