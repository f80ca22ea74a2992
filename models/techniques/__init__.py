"""The techniques of the paper, pre-training and a placebo. A new one is a file here and a name in the tuple.

Nothing here knows of data, outputs or training; training asks the hooks of `base.Technique`.
"""

from models.techniques.base import Technique
from models.techniques.clipping import Clipping
from models.techniques.leaky import Leaky
from models.techniques.nesterov import Nesterov
from models.techniques.placebo import Placebo
from models.techniques.pretraining import Pretraining
from models.techniques.rectifier import Rectifier

TECHNIQUES: tuple[type[Technique], ...] = (Clipping, Leaky, Rectifier, Nesterov, Pretraining, Placebo)
"""Every technique, in the order in which the paper writes their letters: SGD+CLRM; then P, of another paper, and Z."""

__all__ = ["TECHNIQUES", "Clipping", "Leaky", "Nesterov", "Placebo", "Pretraining", "Rectifier", "Technique"]
