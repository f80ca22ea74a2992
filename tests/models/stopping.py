"""Trainings that are stopped and gone on with, and how their bits are compared: what tests of checkpoints share."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

from safetensors.torch import load, save

from models.data.chunks import Pieces
from models.training.progress import Checkpoint
from models.training.run import Training, train
from models.trial import Trial

Until = Callable[[Trial, int, Checkpoint | None], Checkpoint | Training]
"""Train for so many steps from a checkpoint; the checkpoint there, or what came of it where there are not so many."""


def stored(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint after its way through bytes."""
    text, data = json.dumps(checkpoint.to_json(), allow_nan=False), save(checkpoint.tensors)
    return Checkpoint.from_json(json.loads(text), load(data))


def bits(training: Training) -> tuple[str, bytes]:
    """All that came of a training, to the bit."""
    return repr(replace(training, weights={})), save(training.weights)


def interrupted(
    trial: Trial, splits: tuple[Pieces, Pieces], steps: Iterable[int], until: Until
) -> tuple[Training, int]:
    """Train with a stop after so many steps each time, and then to the end; how often it was really stopped."""
    checkpoint, stops = None, 0
    for step in steps:
        outcome = until(trial, step, checkpoint)
        if isinstance(outcome, Training):
            return outcome, stops
        checkpoint, stops = outcome, stops + 1
    return train(trial, *splits, 5, checkpoint=checkpoint), stops
