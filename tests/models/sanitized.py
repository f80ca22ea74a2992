"""Builds a C++ kernel with a driver under AddressSanitizer and UndefinedBehaviorSanitizer, and runs it."""

import os
import subprocess
from pathlib import Path

import pytest

from models.native import build
from models.native.build import BuildError

SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def printed(folder: Path, *sources: Path) -> str:
    """What the program prints when nothing is wrong, or a skip where there is no compiler with sanitizers."""
    program = folder / "program"
    try:
        compiler = build.find_compiler()
    except BuildError as error:
        pytest.skip(str(error))
    command = [*compiler, "-std=c++17", "-Og", "-g1", "-march=native", "-pthread", *SANITIZED, "-o", str(program)]
    probe = folder / "probe.cpp"
    probe.write_text("int main() { return 0; }\n")
    probing = subprocess.run([*command, str(probe)], capture_output=True, text=True)
    if probing.returncode or subprocess.run([str(program)], capture_output=True).returncode:
        pytest.skip(f"{compiler[0]} cannot build a program with sanitizers here")
    subprocess.run([*command, *map(str, sources)], check=True)
    # Leaks cannot be looked for under a tracer, which some machines run tests in.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run([str(program)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
