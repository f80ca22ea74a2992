"""Rules that turn a gradient into new parameters, one file each. A new one is a file here and a name in the tuple.

Row operations on (S, P): a stack's members never meet.
"""

from models.optimizers.adam import Adam
from models.optimizers.base import Optimizer
from models.optimizers.sgd import SGD

OPTIMIZERS: tuple[type[Optimizer], ...] = (SGD, Adam)
"""Every optimizer; `name` is what a variant calls it."""

__all__ = ["OPTIMIZERS", "SGD", "Adam", "Optimizer"]
