"""The bodies of the scan that can be tested here, for `pytest.mark.parametrize`."""

import pytest

from models.core import native
from models.core.bodies import why_not_triton

needs_native = pytest.mark.skipif(not native.available(), reason=f"no native body here: {native.reason()}")
needs_triton = pytest.mark.skipif(why_not_triton() is not None, reason=f"no Triton body here: {why_not_triton()}")
# Triton is installed on few machines: where it is not, one skipped test says so, not hundreds.
BODIES = ("reference", pytest.param("native", marks=needs_native), *(() if why_not_triton() else ("triton",)))
