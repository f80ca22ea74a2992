"""Optimizers: rules that turn a gradient into new parameters. A new one is a file here and a tuple entry.

The rules are row operations on (S, P): the members of a stack do not affect each other. Hessian-free is listed too,
though it is not a rule on gradients. This folder has its step for any objective; `models/training/updates/objective.py`
turns a network into such an objective.
"""

from models.optimizers.adam import Adam
from models.optimizers.base import Method, Optimizer
from models.optimizers.hessian_free import HessianFree
from models.optimizers.sgd import SGD

OPTIMIZERS: tuple[type[Method], ...] = (SGD, Adam, HessianFree)
"""Every optimizer; its `name` is used in the names of variants."""

__all__ = ["OPTIMIZERS", "SGD", "Adam", "HessianFree", "Method", "Optimizer"]
