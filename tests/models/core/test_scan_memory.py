"""The native body under AddressSanitizer and UndefinedBehaviorSanitizer: nothing beyond a buffer, nothing undefined."""

from pathlib import Path

import pytest

from models.core import native
from tests.models import sanitized


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    assert sanitized.printed(tmp_path, native.SOURCE, Path(__file__).with_name("scan_driver.cpp")) == "304 scans\n"
