"""The techniques of the paper, pre-training and a placebo. A new technique is a file here and a tuple entry.

Never in this room: data or training; training calls the hooks of `base.Technique`.
"""

from models.techniques.base import Technique
from models.techniques.clipping import Clipping
from models.techniques.leaky import Leaky
from models.techniques.nesterov import Nesterov
from models.techniques.placebo import Placebo
from models.techniques.pretraining import Pretraining
from models.techniques.rectifier import Rectifier

TECHNIQUES: tuple[type[Technique], ...] = (Clipping, Leaky, Rectifier, Nesterov, Pretraining, Placebo)
"""Every technique, in the order of the paper's letters, SGD+CLRM; then P, from another paper, and Z, the placebo."""

__all__ = ["TECHNIQUES", "Clipping", "Leaky", "Nesterov", "Placebo", "Pretraining", "Rectifier", "Technique"]
