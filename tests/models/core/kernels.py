"""The kernels of the scan that can be tested here, for `pytest.mark.parametrize`."""

import pytest

from models.core.scan.choice import why_not_triton
from models.native import library

needs_native = pytest.mark.skipif(library.reason() is not None, reason=f"no native kernel here: {library.reason()}")
needs_triton = pytest.mark.skipif(why_not_triton() is not None, reason=f"no Triton kernel here: {why_not_triton()}")
# Triton is installed on few machines: where it is not, one skipped test says so, not hundreds.
KERNELS = ("reference", pytest.param("native", marks=needs_native), *(() if why_not_triton() else ("triton",)))
