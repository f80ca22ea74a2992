"""The data of trials: their corpus, and its splits as tensors, prepared once and kept by the process.

A job has one of these, and hands it to training, scoring and sampling.
"""

from collections.abc import Iterable
from functools import cached_property, lru_cache

from infra.store import Store
from models.data.chunks import Pieces
from models.network import Network
from models.trial import Trial
from tasks.corpus.corpus import SPLITS, Corpus
from tasks.ingest import load_corpus


class TrialData:
    """The corpus of some trials. It is read when it is first asked for: trials that are stored ask for none.

    Args:
        store: where the corpus is.
        digest: of it.

    Attributes:
        digest: as given.

    Raises:
        NotFoundError: the corpus is not stored; when it is asked for, as are the others.
        IntegrityError: it is damaged.
    """

    def __init__(self, store: Store, digest: str) -> None:
        self._store, self.digest = store, digest

    @cached_property
    def corpus(self) -> Corpus:
        """As it is stored."""
        return load_corpus(self._store, self.digest)

    @cached_property
    def pieces(self) -> dict[str, Pieces]:
        """Its splits as tensors, by name."""
        splits, last_alone = self.corpus.splits, self.corpus.last_alone
        return {split: Pieces.from_arrays(splits[split], last_alone=last_alone) for split in SPLITS}

    def network(self, trial: Trial) -> Network:
        """The network of a trial as it starts.

        Raises:
            ValueError: the trial is of another corpus.
        """
        if trial.corpus != self.digest:
            raise ValueError(f"data: of the corpus {self.digest}, and the trial of {trial.corpus}")
        return Network.for_data(trial, self.pieces["train"], self.corpus.width)


@lru_cache(maxsize=4)
def data_of(store_address: str, digest: str) -> TrialData:
    """The data of a corpus; the process keeps a few of them for the trials that follow."""
    return TrialData(Store(store_address, known=True), digest)


def data_for(store_address: str, trials: Iterable[Trial]) -> TrialData:
    """The data that some trials have in common.

    Raises:
        ValueError: they are of several corpora.
    """
    digests = {trial.corpus for trial in trials}
    if len(digests) != 1:
        raise ValueError(f"data: wants trials of one corpus, got {len(digests)}")
    return data_of(store_address, digests.pop())
