"""Which kernel of the scan is chosen, how it is forced, and what is said where there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.core import leaky_scan, scan_kernel, use_kernel
from models.core.scan.choice import VARIABLE
from models.native import library
from tests.models.core.kernels import needs_native, needs_triton

ROOT = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def _unforced(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_native_kernel_is_chosen_where_it_serves():
    expected = "native" if library.reason() is None else "reference"
    assert scan_kernel() == scan_kernel(dtype=torch.float64) == expected
    assert scan_kernel("cuda") == scan_kernel(dtype=torch.bfloat16) == "reference"


def test_the_variable_forces_and_the_block_wins(monkeypatch):
    monkeypatch.setenv(VARIABLE, "reference")
    assert scan_kernel() == "reference"
    if library.reason() is None:
        with use_kernel("native"):
            assert scan_kernel() == "native"
    monkeypatch.setenv(VARIABLE, "")
    with use_kernel("reference"):
        assert scan_kernel() == "reference"
    assert scan_kernel() == ("native" if library.reason() is None else "reference")


def test_a_kernel_that_does_not_exist(monkeypatch):
    with (
        pytest.raises(ValueError, match=r"^use_kernel: 'fast' is none of reference, native, triton$"),
        use_kernel("fast"),
    ):
        pass
    monkeypatch.setenv(VARIABLE, "fast")
    with pytest.raises(ValueError, match=r"^COUNTERPOINT_SCAN: 'fast' is none of reference, native, triton$"):
        scan_kernel()


def test_a_forced_kernel_that_cannot_serve():
    with (
        use_kernel("native"),
        pytest.raises(ValueError, match="^COUNTERPOINT_SCAN: .*and float64, not in bfloat"),
    ):
        scan_kernel(dtype=torch.bfloat16)
    with use_kernel("native"), pytest.raises(ValueError, match="^COUNTERPOINT_SCAN: .*runs on cpu, not on cuda"):
        scan_kernel("cuda")


def test_triton_says_why_it_cannot_serve(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    expected = "triton is not installed|there is no GPU, and TRITON_INTERPRET=1 is not set"
    with use_kernel("triton"), pytest.raises(ValueError, match=f"^COUNTERPOINT_SCAN: .*cannot be used: ({expected})$"):
        scan_kernel()


@needs_triton
def test_a_layer_too_wide_for_triton_goes_to_the_reference():
    pre, h0, W = (torch.full(shape, 0.01) for shape in ((1, 2, 1, 130), (1, 1, 130), (1, 130, 130)))
    results = []
    for name in ("triton", "reference"):
        with use_kernel(name):
            results.append(leaky_scan(pre, h0, W, None, "tanh"))
    assert torch.equal(*results)


def test_other_types_go_to_the_reference():
    pre, h0, W = (torch.ones(shape, dtype=torch.bfloat16) for shape in ((1, 2, 1, 3), (1, 1, 3), (1, 3, 3)))
    states = leaky_scan(pre, h0, W, None, "tanh")
    assert states.dtype == torch.bfloat16
    assert (states > 0.99).all()


FRESH = """
import os, sys
import torch
from models.core import leaky_scan, scan_kernel, use_kernel
from models.core.scan.choice import VARIABLE
from models.native import library
from models.outputs.softmax.cross_entropy import symbol_log_likelihood

os.environ[VARIABLE] = "reference"
leaky_scan(torch.ones(1, 2, 3, 4), torch.zeros(1, 3, 4), torch.ones(1, 4, 4), None, "relu")
print(os.listdir(sys.argv[1]))
os.environ |= {"PATH": sys.argv[1], "CXX": "", VARIABLE: ""}
print(scan_kernel(), library.reason())
try:
    with use_kernel("native"):
        scan_kernel()
except ValueError as error:
    print(error)
zeros = torch.zeros(1, 2, 3), torch.zeros(1, 3, 8), torch.zeros(1, 8)
print(symbol_log_likelihood(*zeros, torch.tensor([[0, 7]])).exp().tolist(), library.reason())
"""


@pytest.mark.integration
def test_nothing_is_compiled_where_the_reference_is_forced_and_without_a_compiler_it_serves(tmp_path):
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", FRESH, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    missing = "no C++ compiler on the PATH (c++, g++, clang++)"
    assert done.stdout.splitlines() == [
        "[]",
        f"reference {missing}",
        f"COUNTERPOINT_SCAN: the native kernel cannot be used: {missing}",
        f"[[0.125, 0.125]] {missing}",
    ]


@needs_native
@pytest.mark.parametrize("members", [1, 3])
def test_the_numbers_do_not_depend_on_the_threads(members):
    random = torch.Generator().manual_seed(0)
    sizes = ((members, 10, 37, 150), (members, 37, 150), (members, 150, 150))
    leaves = [torch.randn(size, generator=random).mul_(0.1).requires_grad_() for size in sizes]
    retention = torch.rand(members, 150, generator=random)
    results = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            assert torch.get_num_threads() == threads
            with use_kernel("native"):
                states = leaky_scan(*leaves, retention, "tanh")
                results.append([states.detach(), *torch.autograd.grad(states.sin().sum(), leaves)])
    finally:
        torch.set_num_threads(1)
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))
