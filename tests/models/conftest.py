"""One thread for every test of the models: sums are then added in one order, and small sizes run faster."""

import os
from collections.abc import Iterator

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def coarse_monitor() -> Iterator[None]:
    """Few chains estimate the likelihoods of an RBM in training: for tests that compare trainings, not scores."""
    from models.evaluation import estimation
    from models.outputs.effort import Effort
    from models.outputs.rbm import rbm

    with pytest.MonkeyPatch.context() as patch:
        for module in (estimation, rbm):
            patch.setattr(module, "MONITOR", Effort(10, 10))
        yield
