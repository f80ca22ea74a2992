"""Rules that turn a gradient into new parameters. Row operations on (S, P): a stack's members never meet."""

from models.optimizers.sgd import sgd_step_

__all__ = ["sgd_step_"]
