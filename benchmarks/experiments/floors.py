"""Every output model on jsb-chorales with settings that reach its floor: is the mathematics right?

Run it as `python -m benchmarks.experiments.floors [MODEL ...]`; all of them where none is named. The rolls are looked
for in the folder COUNTERPOINT_DATA, or else in ../shared/data beside the checkout: `music-rolls/JSB_Chorales.mat`.
One process of one thread; each model takes a minute or two, the RBM a quarter of an hour. It prints nats a frame, and
writes nothing.

These are floors, found by a handful of tries whose test scores were seen, and not a comparison of the models.
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from models.data.chunks import Pieces
from models.evaluation.metrics import score
from models.network import Network
from models.outputs import NadeSettings, RBMSettings
from models.techniques import Clipping, Nesterov
from models.training.run import train
from models.trial import Trial
from tasks.corpus.corpus import Corpus
from tasks.ingest import find_recipe
from tasks.ingest.building.recipe import Source

DATA = Path(os.environ.get("COUNTERPOINT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
ROLLS = DATA / "music-rolls" / "JSB_Chorales.mat"
CORPUS = "jsb-chorales"


@dataclass(frozen=True)
class Floor:
    """What a model must come under on test, in nats a frame, and the configuration that does."""

    nats: float
    trial: Trial


PLAIN = Trial(
    corpus=CORPUS,
    output="bernoulli",
    hidden_size=200,
    learning_rate=0.00075,
    chunk=100,
    batch=1,
    epochs=2000,
    patience=10,
    seed=1,
)
"""Nothing but gradient descent; Hessian-free is held against the 8.70 that it reaches."""
RECTIFIED = replace(
    PLAIN,
    techniques=(Clipping(1.0), Nesterov(0.9)),
    hidden_size=300,
    activation="relu",
    learning_rate=0.15,
    cost="mean",
    batch=4,
    input_dropout=0.2,
    output_dropout=0.5,
    epochs=200,
    decay=0.85,
    patience=12,
)
FLOORS = {
    "bernoulli": Floor(8.75, RECTIFIED),
    "sgd": Floor(8.75, PLAIN),
    "hf": Floor(8.7, replace(PLAIN, optimizer="HF", learning_rate=2.0, batch=16, patience=5)),
    "nade": Floor(5.8, replace(RECTIFIED, output="nade", output_settings=NadeSettings(200))),
    "rbm": Floor(
        6.6,
        replace(
            PLAIN,
            output="rbm",
            output_settings=RBMSettings(200, 5),
            optimizer="Adam",
            learning_rate=0.0015,
            cost="mean",
            chunk=50,
            input_dropout=0.2,
            output_dropout=0.4,
            epochs=1000,
            decay=0.96,
            patience=60,
        ),
    ),
}


def load() -> Corpus:
    recipe = find_recipe(CORPUS)
    assert recipe is not None  # noqa: S101
    return recipe.build(recipe.read_inputs(Source(str(ROLLS))), lambda done, total: None, map)


def reach(name: str, floor: Floor, corpus: Corpus) -> None:
    """Train, and score what was best on validation on test."""
    train_pieces, valid_pieces, test_pieces = (
        Pieces.from_arrays(corpus.splits[split]) for split in ("train", "valid", "test")
    )
    width = train_pieces.data.shape[1]
    began = time.perf_counter()
    training = train(floor.trial, train_pieces, valid_pieces, width)
    seconds = time.perf_counter() - began
    network = Network.for_data([floor.trial], train_pieces, width)
    network.load(training.weights)
    # The best estimate of a likelihood that is one takes minutes, and no part of the training's.
    scores = score(network, test_pieces, reported=True)
    nats = -scores.mean_log_likelihood
    error = scores.log_likelihood_error
    told = f"{nats:.3f}" if error is None else f"{nats:.3f} (standard error {error.sum() / scores.steps.sum():.3f})"
    word = "reached" if nats < floor.nats else "missed"
    print(
        f"{name}: valid {-training.best.valid:.3f}, test {told}, floor {floor.nats}, {word}; {training.status},"
        f" {training.updates} updates in {seconds / 60:.1f} min"
    )


def main() -> None:
    torch.set_num_threads(1)
    unknown = [name for name in sys.argv[1:] if name not in FLOORS]
    if unknown:
        sys.exit(f"no model {unknown[0]!r}: wants some of {', '.join(FLOORS)}")
    if not ROLLS.is_file():
        print(f"nothing measured: {ROLLS} is not there; set COUNTERPOINT_DATA to the folder of the data")
        return
    corpus = load()
    for name in sys.argv[1:] or FLOORS:
        reach(name, FLOORS[name], corpus)


if __name__ == "__main__":
    main()
