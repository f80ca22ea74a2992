"""Samples: a trained network is given the beginning of a piece of the test split, and continues it.

    samples/<trial key>/   sample.json  sample.mid or sample.txt

The seed decides the piece and every draw. A stored sample uses the trial's own seed: so variants with the same fresh
seeds continue the same beginning. No choice and no score depends on a sample; it is for people to hear or read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from infra.errors import ConfigurationError, NotFoundError
from infra.machine.answer import Answer
from infra.provenance import provenance
from infra.store import Store, read_json
from models.data_kinds import LAST_STEP_ALONE, Kind
from models.evaluation.sampling import generate
from models.randomness import generator_for
from models.seeds import seed_for
from tasks.corpus.corpus import LOWEST_NOTE, Corpus
from tasks.telling.readable import naming
from tasks.trials.continuation import Continuation
from tasks.trials.data import TrialData
from tasks.trials.records import load_record, sample_prefix, stored_keys
from tasks.trials.trained import Trained

GIVEN: Mapping[Kind, int] = {"music": 16, "characters": 48, "words": 16}
"""Steps of the piece that the network is given; a shorter piece is given whole."""
ASKED: Mapping[Kind, int] = {"music": 80, "characters": 400, "words": 120}
"""Steps that the network adds; 80 quarter notes last 48 seconds."""

_DIGITS = 12


@dataclass(frozen=True)
class Written(Answer):
    """A continuation that was written to a file.

    Attributes:
        made: the continuation.
        path: absolute path of the file.
    """

    schema: ClassVar[str] = "sample"
    made: Continuation
    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def to_json(self) -> dict[str, Any]:
        """Where the file is, of which trial it is, and how it came about."""
        made = {
            name: getattr(self.made, name) for name in ("key", "variant", "corpus", "kind", "seed", "piece", "given")
        }
        return made | {"made": len(self.made.steps) - self.made.given, "path": str(self.path)}


def ensure_sampled(trained: Trained) -> None:
    """Commit the sample of a completed trial, unless it is stored already.

    A network that answers only at the last step of a synthetic sequence cannot continue one: it has no sample.
    """
    store, prefix = trained.store, sample_prefix(trained.trial.key)
    if store.committed(prefix) or trained.data.corpus.kind in LAST_STEP_ALONE:
        return
    made = continue_piece(trained, trained.trial.seed)
    files = {"sample.json": json.dumps(made.to_json(), ensure_ascii=True).encode(), made.file_name: made.to_bytes()}
    store.commit(prefix, files, kind="sample", provenance=provenance())


def load_sample(store: Store, key: str) -> Continuation | None:
    """The stored sample of a trial, None where there is none."""
    stored = store.find(sample_prefix(key), "sample.json")
    if stored is None:
        return None
    where = f"{store.address}: {sample_prefix(key)}"
    with naming(where):
        return Continuation.from_json(read_json(stored, where))


def write_sample(store: Store, beginning: str, to: Path, seed: int | None = None, asked: int | None = None) -> Written:
    """Let the network of a stored trial continue the beginning of a test piece; write a MIDI file or a text.

    Args:
        store: the store of the trial.
        beginning: the first digits of the trial's key, enough of them to tell it from all other stored trials.
        to: the file to write; in a folder the file is named after the trial and the seed.
        seed, asked: as for `continue_piece`; the default is the trial's own seed.

    Returns:
        What it made, with the absolute path of the file.

    Raises:
        NotFoundError: no trial has such a key.
        ConfigurationError: several have, the file is there already or cannot be written, or no step is asked for.
    """
    record = load_record(store, _whole_key(store, beginning))
    if record is None:
        raise NotFoundError(f"{store.address}: no trial {beginning}; the report names those that were sampled")
    torch.set_num_threads(1)  # as on the workers, so that the bits are those of the report
    trained = Trained(store, TrialData(store, record.trial.corpus), record.trial)
    made = continue_piece(trained, record.trial.seed if seed is None else seed, asked)
    named = f"{made.key[:_DIGITS]}-{made.seed}{Path(made.file_name).suffix}"
    path = (to / named if to.is_dir() else to).absolute()
    try:
        with path.open("xb") as file:
            file.write(made.to_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written ({error.strerror}); give another --to") from error
    return Written(made, path)


def _whole_key(store: Store, beginning: str) -> str:
    found = [key for key in stored_keys(store, "trials") if key.startswith(beginning)]
    if len(found) > 1:
        raise ConfigurationError(f"trial {beginning!r}: {len(found)} keys begin so; give more digits")
    return found[0] if found else beginning


def continue_piece(trained: Trained, seed: int, asked: int | None = None) -> Continuation:
    """What the network of a stored trial makes of the beginning of a test piece.

    Args:
        trained: the trial.
        seed: chooses the piece, and names the random numbers.
        asked: steps to go on for; as many as for the report where none are asked for.

    Raises:
        ConfigurationError: fewer than one step is asked for, or only the last step of the corpus's pieces was learned.
        NotFoundError: the trial has no weights in the store.
    """
    trial, corpus = trained.trial, trained.data.corpus
    if corpus.kind in LAST_STEP_ALONE:
        raise ConfigurationError(f"{corpus.name}: only its last steps were learned; a sample wants music or text")
    asked = ASKED[corpus.kind] if asked is None else asked
    if asked < 1:
        raise ConfigurationError(f"--steps {asked}: a sample has 1 step or more")
    test = trained.data.pieces["test"]
    number = sampled_piece(seed, len(test))
    start, end = test.starts[number : number + 2]
    given = test.data[start : min(end, start + GIVEN[corpus.kind])]
    made = generate(trained.network, given[None, :, None], asked, [generator_for(seed, "sample")])
    return Continuation(
        key=trial.key,
        variant=trial.variant,
        corpus=trial.corpus,
        kind=corpus.kind,
        seed=seed,
        piece=corpus.titles["test"][number],
        given=len(given),
        asked=asked,
        steps=_steps(corpus, made[0, :, 0].numpy()),
        quarters=_quarters(corpus) if corpus.kind == "music" else None,
    )


def sampled_piece(seed: int, pieces: int) -> int:
    """Which of so many pieces of the test split a seed goes on from."""
    return seed_for(seed, "sample", "piece") % pieces


def original(corpus: Corpus, made: Continuation) -> tuple[Any, ...]:
    """How the piece itself goes on that a continuation began as: its steps, as many as were given and asked for.

    Fewer where it ends before; none where it begins otherwise, so that it is not the piece that was given.
    """
    pieces = corpus.splits["test"]
    piece = pieces[sampled_piece(made.seed, len(pieces))]
    steps = _steps(corpus, piece[: made.given + made.asked])
    return steps if steps[: made.given] == made.steps[: made.given] else ()


def _steps(corpus: Corpus, made: np.ndarray) -> tuple[Any, ...]:
    if corpus.kind == "music":
        return tuple(tuple((np.flatnonzero(frame) + LOWEST_NOTE).tolist()) for frame in made)
    return tuple(corpus.vocabulary[symbol] for symbol in made.tolist())


def _quarters(corpus: Corpus) -> float:
    """Length of a frame in quarter notes, as the corpus has it.

    Of corpora that do not say it, the official sets and what older versions stored, it is read from the words of their
    source. Where these give it in ticks nobody knows: in JSB Chorales they are quarters.
    """
    if corpus.quarters is not None:
        return corpus.quarters
    frame = str(corpus.source.get("frame", "an eighth note"))
    return 1.0 if "quarter" in frame or "ticks" in frame else 0.5
