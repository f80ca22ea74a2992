"""Small trials, pieces and networks that the tests of the models share."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.data.chunks import Chunk, Pieces
from models.data.frequencies import frequencies
from models.network import Network
from models.outputs import ClassSettings
from models.outputs.rbm.rbm import RBMSettings
from models.techniques import Clipping, Leaky, Nesterov, Pretraining, Rectifier, Technique
from models.training.updates.objective import NetworkObjective
from models.trial import Trial

BY_LETTER: dict[str, Technique] = {
    "C": Clipping(0.5),
    "L": Leaky(0.5, "update-rate"),
    "R": Rectifier(0.01),
    "M": Nesterov(0.8),
    "P": Pretraining(2, 3),
}


def techniques(letters: str) -> tuple[Technique, ...]:
    """Techniques with values at which each of them acts."""
    return tuple(BY_LETTER[letter] for letter in letters)


RBM_SETTINGS = {chain: RBMSettings(units=6, cd_steps=2, chain=chain) for chain in ("data", "persistent")}


def trial(letters: str = "", **changes: Any) -> Trial:
    """A tiny trial."""
    values: dict[str, Any] = {
        "corpus": "0" * 64,
        "output": "bernoulli",
        "techniques": techniques(letters),
        "hidden_size": 7,
        "learning_rate": 0.05,
        "chunk": 4,
        "batch": 3,
        "epochs": 3,
        "seed": 1,
    }
    if changes.get("output") == "classes":
        values["output_settings"] = ClassSettings(2)  # the pieces below have few symbols
    if changes.get("core") == "frame":
        values |= {"hidden_size": 1, "initial_state": "zero"}
    return Trial(**(values | changes))


def music(lengths: list[int], width: int = 5, seed: int = 0, share: float = 0.4) -> list[np.ndarray]:
    """Piano-rolls of random notes."""
    random = np.random.default_rng(seed)
    return [(random.random((length, width)) < share).astype(np.uint8) for length in lengths]


def sparse(lengths: list[int], width: int = 5, seed: int = 0) -> list[np.ndarray]:
    """Piano-rolls of so few notes that most of them have room to be transposed."""
    return music(lengths, width, seed, share=0.15)


def text(lengths: list[int], width: int = 5, seed: int = 0) -> list[np.ndarray]:
    """Pieces of random symbols."""
    random = np.random.default_rng(seed)
    return [random.integers(0, width, length).astype(np.int32) for length in lengths]


def pieces(output: str, lengths: list[int], width: int = 5, seed: int = 0) -> Pieces:
    """Pieces that fit an output model, notes in float64."""
    arrays = (text if output in ("softmax", "classes") else music)(lengths, width, seed)
    return Pieces.from_arrays(arrays, torch.float64)


def network(a_trial: Trial, train: Pieces, width: int = 5, seed: int = 3) -> Network:
    """A float64 network with no weight at a special value, h_0 and the biases included."""
    made = Network(a_trial, frequencies(train, width), torch.float64)
    generator = torch.Generator().manual_seed(seed)
    made.parameters.theta_SP.normal_(0, 0.5, generator=generator)
    if a_trial.initial_state == "zero":
        made.parameters.member(0)["initial_state"].zero_()
    return made


def objective(a_network: Network, some: Iterable[Chunk], curved: Iterable[Chunk] | None = None) -> NetworkObjective:
    """The cost of a network of one member over some chunks, with products over `curved`, or the same."""
    return NetworkObjective(
        core=a_network.core,
        output=a_network.output,
        parameters=a_network.parameters,
        retention_SH=a_network.retention_SH,
        learned=a_network.trial.initial_state == "learned",
        techniques=a_network.trial.techniques,
        chunks=list(some),
        curved=None if curved is None else list(curved),
    )


def steps_of(some: Pieces, index: int) -> Tensor:
    """The steps of one piece."""
    return some.data[some.starts[index] : some.starts[index + 1]]


def retention_of(a_network: Network) -> Tensor | None:
    """Retention of the one member, or None."""
    return None if a_network.retention_SH is None else a_network.retention_SH[0]
