"""Losses of short runs, as they were: a change that moves them needs a new NUMERICS_VERSION."""

import json
from itertools import combinations

import pytest

from models.core import use_kernel
from models.trial import NUMERICS_VERSION
from models.variants import Variant
from tests.models.core.kernels import KERNELS
from tests.models.golden import runs

# torch loads old parts of itself at the first derivative in forward mode.
_OLD = "ignore:.torch.jit.script. is deprecated:DeprecationWarning"
pytestmark = [pytest.mark.golden, pytest.mark.filterwarnings(_OLD)]
GOLDEN = json.loads(runs.FILE.read_text())
MENDING = f"if that is meant, raise NUMERICS_VERSION in models/trial.py and then run `{runs.COMMAND}`"


def test_the_losses_are_of_this_version():
    assert GOLDEN["numerics_version"] == NUMERICS_VERSION, f"write the losses again: `{runs.COMMAND}`"
    assert tuple(GOLDEN["losses"]) == runs.VARIANTS


ONE_OF_A_KIND = {
    (named.core, named.output, named.optimizer): variant
    for variant in runs.VARIANTS
    if (named := Variant.parse(variant))
}
"""The last of each core, output model and optimizer: those that have any have techniques."""
OTHERS = ("reference", *KERNELS[2:])
"""Kernels of the scan beside the native one, which is the one in use where there is a compiler."""


@pytest.mark.parametrize("variant", runs.VARIANTS)
def test_losses_have_not_moved(variant):
    _assert_as_they_were(variant)


@pytest.mark.parametrize("kernel", OTHERS)
@pytest.mark.parametrize("variant", ONE_OF_A_KIND.values())
def test_other_kernels_have_the_same_losses(variant, kernel):
    with use_kernel(kernel):
        _assert_as_they_were(variant)


def _assert_as_they_were(variant):
    now, then = runs.losses(variant), GOLDEN["losses"][variant]
    assert [len(row) for row in now] == [len(row) for row in then]
    assert [len(row) for row in then] == ([1, 2, 2] if "/rbm/" in variant else [1, 3, 3]), (
        "no likelihood while training"
    )
    for epoch, (new, old) in enumerate(zip(now, then, strict=True)):
        assert new == pytest.approx(old, rel=1e-4), f"{variant} has moved in epoch {epoch}; {MENDING}"


def test_no_two_variants_have_the_same_losses():
    for output in ("bernoulli", "softmax", "nade", "rbm", "classes"):
        runs_of = [sum(rows, []) for variant, rows in GOLDEN["losses"].items() if output in variant]
        for left, right in combinations(runs_of, 2):
            gap = max(abs(a - b) / abs(a) for a, b in zip(left, right, strict=True))
            assert gap > 5e-3, "a variant that forgot a technique must not pass as another"
