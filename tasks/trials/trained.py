"""A trained trial: its network with the best weights, for scoring and sampling."""

from functools import cached_property

from safetensors.torch import load

from infra.store import Store
from models.network import Network
from models.trial import Trial
from tasks.telling.readable import naming
from tasks.trials.data import TrialData
from tasks.trials.records import trial_prefix


class Trained:
    """A stored trial, its data, and its network, which is read when it is first asked for.

    Args:
        store: where the trial is.
        data: of its corpus.
        trial: which.

    Attributes:
        store, data, trial: as given.
    """

    def __init__(self, store: Store, data: TrialData, trial: Trial) -> None:
        self.store, self.data, self.trial = store, data, trial

    @cached_property
    def network(self) -> Network:
        """With the best weights.

        Raises:
            NotFoundError: the trial, or its corpus, is not stored.
            IntegrityError: its weights are damaged, or are not those of such a network.
        """
        network, prefix = self.data.network(self.trial), trial_prefix(self.trial.key)
        weights = self.store.read(prefix, "weights.safetensors")
        with naming(f"{self.store.address}: {prefix}/weights.safetensors"):
            network.load(load(weights))
        return network
