"""The native kernel of NADE under AddressSanitizer and UndefinedBehaviorSanitizer: nothing beyond a buffer."""

from pathlib import Path

import pytest

import models
from tests.models import sanitized


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    driver = Path(__file__).with_name("nade_driver.cpp")
    assert sanitized.printed(tmp_path, Path(models.__file__).parent / "native" / "nade.cpp", driver) == "440 times\n"
