"""Made-up samples for the synthetic campaign: the beginning of a test piece, and steps of another one behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tasks.corpus.corpus import Corpus
from tasks.report.numbers.results import Sampled
from tasks.trials.continuation import Continuation

GIVEN, MADE = 8, 30


def synthetic_samples(
    corpora: Mapping[str, Corpus], trials: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Sampled]]:
    """Of every variant that has a final trial that completed, that of the first one."""
    samples: dict[str, dict[str, Sampled]] = {name: {} for name in corpora}
    for trial in trials:
        of_corpus = samples[trial["corpus"]]
        if (trial["purpose"], trial["status"]) == ("final", "completed") and trial["variant"] not in of_corpus:
            corpus = corpora[trial["corpus"]]
            made = _continuation(corpus, trial)
            original = _told(corpus, corpus.splits["test"][0][: GIVEN + MADE])
            of_corpus[trial["variant"]] = Sampled(made, made.to_bytes(), original)
    return samples


def _told(corpus: Corpus, steps: np.ndarray) -> tuple[Any, ...]:
    if corpus.kind == "music":
        return tuple(tuple((np.flatnonzero(step) + 21).tolist()) for step in steps)
    return tuple(corpus.vocabulary[step] for step in steps)


def _continuation(corpus: Corpus, trial: Mapping[str, Any]) -> Continuation:
    first, *others = corpus.splits["test"]
    number = int(trial["key"][:8], 16) % len(others)
    steps = np.concatenate([first[:GIVEN], np.resize(others[number], (MADE, *first.shape[1:]))])
    return Continuation(
        key=trial["key"], variant=trial["variant"], corpus=corpus.digest, kind=corpus.kind, seed=trial["seed"],
        piece=corpus.titles["test"][0], given=GIVEN, asked=MADE, quarters=1.0 if corpus.kind == "music" else None,
        steps=_told(corpus, steps),
    )  # fmt: skip
