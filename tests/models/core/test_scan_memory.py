"""The native body under AddressSanitizer and UndefinedBehaviorSanitizer: nothing beyond a buffer, nothing undefined."""

import os
import subprocess
from pathlib import Path

import pytest

from models.core import native, native_build
from models.core.native_build import BuildError

SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def _build(folder: Path, *sources: Path) -> Path:
    """The program, or a skip where there is no compiler with sanitizers."""
    program = folder / "program"
    try:
        compiler = native_build.find_compiler()
    except BuildError as error:
        pytest.skip(str(error))
    command = [*compiler, "-std=c++17", "-O1", "-g", "-march=native", "-pthread", *SANITIZED, "-o", str(program)]
    probe = folder / "probe.cpp"
    probe.write_text("int main() { return 0; }\n")
    probing = subprocess.run([*command, str(probe)], capture_output=True, text=True)
    if probing.returncode or subprocess.run([str(program)], capture_output=True).returncode:
        pytest.skip(f"{compiler[0]} cannot build a program with sanitizers here")
    subprocess.run([*command, *map(str, sources)], check=True)
    return program


@pytest.mark.integration
def test_odd_sizes_touch_nothing_beyond_their_buffers(tmp_path):
    program = _build(tmp_path, native.SOURCE, Path(__file__).with_name("scan_driver.cpp"))
    # Leaks cannot be looked for under a tracer, which some machines run tests in.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run([str(program)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "304 scans\n"
