"""The estimated time of a trial: it is measured on this machine, and kept for the next command (`timings.py`).

One epoch of plain SGD over a few pieces is timed for each corpus, core, output model and size of chunks and batches.
The smallest and the largest network of the search are timed, and the time before and after the updates is subtracted.
In between, a step is assumed to take a + b * units^2. The estimate is an upper bound as far as trials stop early or
diverge, and a cluster elsewhere may be faster or slower. The epochs of Hessian-free optimization take as long as
conjugate gradient does; the estimate is about the longest that they can take.

Some log-likelihoods are annealed, for example those of an RBM. For these a few chains are timed too, for each corpus
and output model with its settings. The steps of the chains are counted: those after every epoch, and those of scoring
on test, which can take longer than training.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from math import ceil
from typing import Any

import numpy as np
import torch

from infra.cluster.progress import say
from infra.store import Store
from models.data.chunks import Pieces, chunks, shuffled
from models.evaluation.estimation import monitor, monitor_work, report_work
from models.native import library
from models.outputs import Settings
from models.randomness import generator_for
from models.training.pretraining import preparations
from models.training.run import train
from models.trial import Trial
from tasks.corpus.corpus import Corpus
from tasks.search.search import Search
from tasks.search.timings import kept
from tasks.trials.data import TrialData, data_of

_BATCHES, _PIECES, _CHUNKS = 2, 12, 4
_ANNEALED = 4  # steps
_LEAST = 0.1
"""Of the time of a few updates the part that is theirs at least, where what surrounds them seems to take all."""


class TrialTimes:
    """Estimated seconds of trials on one core of this machine.

    Args:
        store: the store of the corpora.
        search: the search whose trials are estimated; it has the smallest and largest networks.
    """

    def __init__(self, store: Store, search: Search) -> None:
        self._store, self._search = store, search
        self._measured: dict[tuple[Any, ...], tuple[float, float]] = {}
        self._chains: dict[tuple[str, str, Settings], float] = {}

    def seconds(self, trial: Trial) -> float:
        """Seconds of all epochs of a trial, those of its phases before included, on one core."""
        return sum(self._all_epochs(each) for each in (trial, *(before.trial for before in preparations(trial))))

    def _all_epochs(self, trial: Trial) -> float:
        shape = (trial.corpus, trial.core, trial.output, trial.chunk, trial.batch)
        if shape not in self._measured:
            self._measured[shape] = self._measure(trial)
        fixed, per_square = self._measured[shape]
        epoch = trial.optimizer_type.epochs_in_one * (fixed + per_square * trial.hidden_size**2)
        return trial.epochs * (epoch + self._annealing(trial, "valid", monitor_work))

    def scoring(self, trial: Trial) -> float:
        """Seconds of annealing to score a trial on test, on one core; 0 where nothing is annealed."""
        return self._annealing(trial, "test", report_work)

    def until_scored(self, trial: Trial) -> float:
        """Seconds of a trial that is scored on test, on one core."""
        return self.seconds(trial) + self.scoring(trial)

    def _annealing(self, trial: Trial, split: str, work: Callable[[int], int]) -> float:
        if not trial.output_type.estimated:
            return 0.0
        model = (trial.corpus, trial.output, trial.output_settings)
        if model not in self._chains:
            timed = {"chain of": trial.output, "settings": asdict(trial.output_settings), "corpus": trial.corpus}
            self._chains[model] = kept(timed, lambda: self._chain_seconds(trial))
        return work(self._data(trial).corpus.steps(split)) * self._chains[model]

    def _chain_seconds(self, trial: Trial) -> float:
        """Seconds of one step of one chain."""
        data = self._data(trial)
        few = _pieces(data.corpus, _first_steps(data.corpus.splits["valid"], _ANNEALED))
        network = data.network(trial)
        return _least_seconds(lambda: monitor(network, few)) / monitor_work(len(few.data))

    def _measure(self, like: Trial) -> tuple[float, float]:
        """Seconds of an epoch of trials of a shape as a + b * units^2: a and b."""
        if not self._measured and (why_not := library.reason()) is not None:
            say(f"the recurrence runs in plain torch, some times slower: {why_not}")
        trial = replace(like, optimizer="SGD", techniques=(), seed=0)  # Hessian-free has other epochs
        if like.core_type.remembers and not like.core_type.gated:
            trial = replace(trial, activation="tanh")
        if not like.core_type.remembers:
            return self._epoch(trial), 0.0
        space = self._search.campaign.spaces[self._search.names[like.corpus]]
        small, large = space.ends("hidden_size")
        at_small = self._epoch(replace(trial, hidden_size=small))
        if small == large:
            return at_small, 0.0
        at_large = self._epoch(replace(trial, hidden_size=large))
        per_square = max(at_large - at_small, 0.0) / (large**2 - small**2)
        return at_small - per_square * small**2, per_square

    def _epoch(self, trial: Trial) -> float:
        """Seconds of an epoch as they are kept, whatever the seed; measured where they are not."""
        # A tiny learning rate: a trial that diverges would end too soon.
        steady = replace(trial, epochs=1, learning_rate=1e-6)
        timed = {"epoch alone of": {**steady.to_json(), "seed": None}}
        return kept(timed, lambda: _epoch_seconds(steady, self._data(trial).corpus))

    def _data(self, trial: Trial) -> TrialData:
        return data_of(self._store.address, trial.corpus)


def _epoch_seconds(trial: Trial, corpus: Corpus) -> float:
    """Seconds of an epoch, its validation included: a few batches timed, and scaled to the whole split."""
    say(f"timing some updates on {corpus.name}, {trial.hidden_size} units")
    # Of long pieces the beginnings: Penn Treebank's parts have 29,000 words each.
    wanted = max(_PIECES, _BATCHES * trial.batch)
    beginnings = [piece[: _CHUNKS * trial.chunk] for piece in corpus.splits["train"][:wanted]]
    some, everything = _pieces(corpus, beginnings), _pieces(corpus, corpus.splits["train"])
    least = _pieces(corpus, [beginnings[0][:1]])
    all_cells = _cells(everything, trial)
    share, of_least = (_cells(pieces, trial) / all_cells for pieces in (some, least))
    # What is annealed after an epoch is as much for few steps as for many, and counted on its own.
    validated = 1 if trial.output_type.estimated else round(share * corpus.steps("valid"))
    few, fewest = (_pieces(corpus, _first_steps(corpus.splits["valid"], steps)) for steps in (validated, 1))
    whole = _least_seconds(lambda: train(trial, some, few, corpus.width))
    around = _least_seconds(lambda: train(trial, least, fewest, corpus.width))
    return max(whole - around, _LEAST * whole) / (share - of_least)


def _least_seconds(work: Callable[[], object]) -> float:
    """Of two times, on one thread as the workers have it; the first one warms up."""
    seconds = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(2):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return min(seconds)


def _pieces(corpus: Corpus, arrays: Sequence[np.ndarray]) -> Pieces:
    return Pieces.from_arrays(arrays, last_alone=corpus.last_alone)


def _first_steps(pieces: Sequence[np.ndarray], steps: int) -> list[np.ndarray]:
    """The beginnings of the pieces, equally long, with so many steps together, and one at least."""
    longest = max(1, ceil(steps / len(pieces)))
    wanted = min(len(pieces), max(1, steps // longest))
    return [piece[:longest] for piece in pieces[:wanted]]


def _cells(pieces: Pieces, trial: Trial) -> int:
    """Steps of an epoch over these pieces, padded ones too: they cost the same."""
    order = shuffled(pieces, trial.batch, generator_for("clock"))
    return sum(chunk.unpadded_TB.numel() for chunk in chunks(pieces, order, trial.batch, trial.chunk))
