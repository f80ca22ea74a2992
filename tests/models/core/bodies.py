"""The bodies of the scan that can be tested here, for `pytest.mark.parametrize`."""

import pytest

from models.core import native

needs_native = pytest.mark.skipif(not native.available(), reason=f"no native body here: {native.reason()}")
BODIES = ("reference", pytest.param("native", marks=needs_native))
