"""The non-linearities phi of a unit without gates."""

from typing import Literal

Activation = Literal["tanh", "sigmoid", "relu"]
ACTIVATIONS: tuple[Activation, ...] = ("tanh", "sigmoid", "relu")
