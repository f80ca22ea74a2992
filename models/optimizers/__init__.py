"""Rules that turn a gradient into new parameters, one file each. A new one is a file here and a name in the tuple.

Row operations on (S, P): a stack's members never meet. Hessian-free is the other kind, and in this tuple too: its step
is here, on any objective; what a network is to it is `models/training/updates/objective.py`.
"""

from models.optimizers.adam import Adam
from models.optimizers.base import Method, Optimizer
from models.optimizers.hessian_free import HessianFree
from models.optimizers.sgd import SGD

OPTIMIZERS: tuple[type[Method], ...] = (SGD, Adam, HessianFree)
"""Every optimizer; `name` is what a variant calls it."""

__all__ = ["OPTIMIZERS", "SGD", "Adam", "HessianFree", "Method", "Optimizer"]
