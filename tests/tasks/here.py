"""What a worker does with a trial, done in this process: for tests of what comes of it."""

from collections.abc import Callable, Sequence

from infra.store import Store
from models.data.chunks import Pieces
from models.network import Network
from models.trial import Trial
from tasks.corpus.corpus import Corpus
from tasks.trials.continuation import Continuation
from tasks.trials.data import data_of
from tasks.trials.records import TrialRecord
from tasks.trials.rung import Rung
from tasks.trials.samples import continue_piece, ensure_sampled
from tasks.trials.scoring import ensure_scored
from tasks.trials.train import ensure_trained
from tasks.trials.trained import Trained


def prepared(store: Store, digest: str) -> tuple[Corpus, dict[str, Pieces]]:
    """A corpus, and its splits as tensors."""
    data = data_of(store.address, digest)
    return data.corpus, data.pieces


def train_here(store: Store, trial: Trial, given_up: Callable[[], bool] | None = None) -> TrialRecord:
    """Train one trial, unless it is stored."""
    (record,) = train_stack_here(store, [trial], given_up)
    return record


def train_stack_here(
    store: Store, trials: Sequence[Trial], given_up: Callable[[], bool] | None = None, rung: Rung | None = None
) -> list[TrialRecord]:
    """Train trials of one shape side by side."""
    return ensure_trained(store, data_of(store.address, trials[0].corpus), trials, given_up, rung=rung)


def score_here(store: Store, record: TrialRecord) -> None:
    """Score a trial on test."""
    ensure_scored(_trained(store, record.trial))


def sample_here(store: Store, record: TrialRecord) -> None:
    """Store a sample of a trial."""
    ensure_sampled(_trained(store, record.trial))


def continue_here(store: Store, trial: Trial, seed: int, asked: int | None = None) -> Continuation:
    """What a trained network makes of the beginning of a piece."""
    return continue_piece(_trained(store, trial), seed, asked)


def network_here(store: Store, trial: Trial) -> Network:
    """The network of a stored trial."""
    return _trained(store, trial).network


def _trained(store: Store, trial: Trial) -> Trained:
    return Trained(store, data_of(store.address, trial.corpus), trial)
