"""The native kernel under AddressSanitizer and UndefinedBehaviorSanitizer: nothing out of bounds or undefined."""

from pathlib import Path

import pytest

import models
from tests.models import sanitized


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    driver = Path(__file__).with_name("cross_entropy_driver.cpp")
    assert (
        sanitized.printed(tmp_path, Path(models.__file__).parent / "native" / "cross_entropy.cpp", driver)
        == "192 calls\n"
    )
