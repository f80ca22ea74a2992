"""Output models: the distribution of step t's symbol or notes, given the state h_{t-1}.

An output model defines the shapes of its parameters, their initialisation, the log-likelihood of the data, and
sampling. Never in this room: time; the states of all steps are given.
"""

from models.outputs.base import Output, Settings
from models.outputs.bernoulli.bernoulli import Bernoulli
from models.outputs.gaussian import Gaussian
from models.outputs.nade.nade import Nade, NadeSettings
from models.outputs.rbm.rbm import RBM, RBMSettings
from models.outputs.softmax.classes import ClassSettings, ClassSoftmax
from models.outputs.softmax.softmax import Softmax

OUTPUTS: tuple[type[Output], ...] = (Bernoulli, Softmax, Nade, RBM, ClassSoftmax, Gaussian)
"""Every output model; its `name` is used in the names of variants."""

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
