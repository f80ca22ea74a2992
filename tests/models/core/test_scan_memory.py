"""The native kernel under AddressSanitizer and UndefinedBehaviorSanitizer: nothing out of bounds or undefined."""

from pathlib import Path

import pytest

import models
from tests.models import sanitized

NATIVE = Path(models.__file__).parent / "native"


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    assert (
        sanitized.printed(tmp_path, NATIVE / "scan.cpp", Path(__file__).with_name("scan_driver.cpp")) == "304 scans\n"
    )


@pytest.mark.integration
def test_the_sparse_map_and_the_likelihood_of_notes_touch_nothing_beyond_their_buffers(tmp_path):
    driver = Path(__file__).with_name("sparse_driver.cpp")
    sources = NATIVE / "sparse.cpp", NATIVE / "bernoulli.cpp", driver
    assert sanitized.printed(tmp_path, *sources) == "540 calls\n"
