"""Output models: the distribution of step t's symbol or notes, given the state h_{t-1}.

One file each. An output model knows shapes, its initialisation, the log-likelihood of what came, and how to
sample; it never sees time, since every step's state is already there.
"""

from models.outputs.base import Output, Settings
from models.outputs.bernoulli.bernoulli import Bernoulli
from models.outputs.gaussian import Gaussian
from models.outputs.nade.nade import Nade, NadeSettings
from models.outputs.rbm.rbm import RBM, RBMSettings
from models.outputs.softmax.classes import ClassSettings, ClassSoftmax
from models.outputs.softmax.softmax import Softmax

OUTPUTS: tuple[type[Output], ...] = (Bernoulli, Softmax, Nade, RBM, ClassSoftmax, Gaussian)
"""Every output model; `name` is what a variant calls it."""

__all__ = [
    "OUTPUTS",
    "RBM",
    "Bernoulli",
    "ClassSettings",
    "ClassSoftmax",
    "Gaussian",
    "Nade",
    "NadeSettings",
    "Output",
    "RBMSettings",
    "Settings",
    "Softmax",
]
