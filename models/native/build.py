"""Compile a C++ file at first use and load it: the only place in `models` that touches files and starts a program.

The compiled library is kept in `$XDG_CACHE_HOME/counterpoint/native` (else `~/.cache/...`). Its name is the sha256 of
source, compiler, flags and processor, so that a stale library or one for another machine is never loaded. Several
processes may compile at once: each compiles into a folder of its own and then renames the result, which is atomic.

Loading a library runs code. So it is loaded only if the file and its folder belong to this user, nobody else can write
to them, and neither is a symbolic link. On systems with `/proc` the checked file itself is loaded, even if somebody
replaces the path meanwhile.

This module knows nothing about the code it compiles.
"""

import ctypes
import hashlib
import os
import platform
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FLAGS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-pthread")
MACHINE_FLAGS: tuple[tuple[str, ...], ...] = (("-march=native",), ())
"""Tried in this order, since not every compiler knows the flag."""
COMPILERS = ("c++", "g++", "clang++")
PATIENCE_SECONDS = 300
_INCLUDE = re.compile(r'^#include "(.+)"$', re.MULTILINE)


class BuildError(Exception):
    """The reason, in one line, why there is no compiled library here."""


def load(source: Path, flags: tuple[str, ...] = ()) -> ctypes.CDLL:
    """The library compiled from `source`, or from the cache.

    Args:
        source: a C++ file; files that it includes in quotes are inserted into its text.
        flags: for the compiler, in addition to those above.

    Raises:
        BuildError: there is no compiler, it failed, or the cache is not safe to use.
    """
    if os.name != "posix":
        raise BuildError("compiled code is for Linux and macOS")
    compiler = find_compiler()
    text = _whole(source).encode()
    folder = cache_folder()
    reason = ""
    for machine in MACHINE_FLAGS:
        command = (*compiler, *FLAGS, *machine, *flags)
        path = folder / f"{source.stem}-{_digest(text, command)}.so"
        try:
            if not os.path.lexists(path):
                _compile(text, command, path)
        except BuildError as error:
            reason = reason or str(error)
            continue
        return _open(path)
    raise BuildError(reason)


def find_compiler() -> tuple[str, ...]:
    """The C++ compiler's path and arguments: the variable CXX, or else the first of the usual names.

    Raises:
        BuildError: there is no compiler.
    """
    named = os.environ.get("CXX", "").split()
    for program in (named[0],) if named else COMPILERS:
        path = shutil.which(program)
        if path is not None:
            return (path, *named[1:])
    if named:
        raise BuildError(f"no C++ compiler {named[0]!r}, which the variable CXX names")
    raise BuildError(f"no C++ compiler on the PATH ({', '.join(COMPILERS)})")


def cache_folder() -> Path:
    """The folder of compiled libraries; made if it is missing."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
        folder = root / "counterpoint" / "native"
        root.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            with _ours(each, os.O_DIRECTORY):
                pass
    except (OSError, RuntimeError) as error:
        raise BuildError(f"no folder for compiled code: {error}") from error
    return folder


def _whole(source: Path, put: set[Path] | None = None) -> str:
    """The text of a file, with every file that it includes in quotes inserted once."""
    put = set() if put is None else put
    put.add(source.resolve())

    def included(line: re.Match[str]) -> str:
        other = source.parent / line[1]
        return "" if other.resolve() in put else _whole(other, put)

    try:
        return _INCLUDE.sub(included, source.read_text())
    except OSError as error:
        raise BuildError(f"compiled code: cannot read {error.filename}: {error.strerror}") from error


def _digest(text: bytes, command: tuple[str, ...]) -> str:
    parts = (text, "\0".join(command).encode(), _output((command[0], "--version")), _processor())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _processor() -> bytes:
    """Model and features of the CPU, since machines may share a cache folder."""
    facts = [platform.machine(), platform.processor()]
    wanted = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts += sorted({line for line in lines if line.startswith(wanted)})
    return "\n".join(facts).encode()


def _output(command: tuple[str, ...], text: bytes | None = None) -> bytes:
    # LC_ALL=C, so that the compiler's version text does not depend on the user's language.
    environment = dict(os.environ, LC_ALL="C")
    try:
        done = subprocess.run(  # noqa: S603
            command, input=text, capture_output=True, env=environment, timeout=PATIENCE_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        first = next((line for line in lines if "error" in line), lines[0] if lines else "it says nothing")
        raise BuildError(f"{command[0]} failed: {first.strip()}")
    return done.stdout


def _compile(text: bytes, command: tuple[str, ...], path: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix="making-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            # From standard input, so that exactly the hashed text is compiled.
            _output((*command, "-x", "c++", "-", "-o", str(made)), text)
            made.chmod(0o700)
            made.replace(path)
    except OSError as error:
        raise BuildError(f"compiled code cannot be stored: {error}") from error


def _open(path: Path) -> ctypes.CDLL:
    try:
        with _ours(path.parent, os.O_DIRECTORY) as folder, _ours(Path(path.name), 0, folder):
            # Through the checked folder, and with the file's own name, since the loader identifies libraries by name.
            checked = f"/proc/self/fd/{folder}/{path.name}"
            return ctypes.CDLL(checked if os.path.exists(checked) else str(path))
    except OSError as error:
        raise BuildError(f"{path} cannot be loaded: {error}") from error


@contextmanager
def _ours(path: Path, kind: int, folder: int | None = None) -> Iterator[int]:
    """Open a file or folder that is this user's, that nobody else can write to, and that is not a symbolic link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=folder)
    try:
        about = os.fstat(descriptor)
        right_kind = stat.S_ISDIR(about.st_mode) if kind else stat.S_ISREG(about.st_mode)
        if not right_kind or about.st_uid != os.geteuid():
            raise BuildError(f"{path} is not ours: remove it, or set XDG_CACHE_HOME to a folder of your own")
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise BuildError(f"{path} can be written to by others: chmod go-w it, or remove it")
        yield descriptor
    finally:
        os.close(descriptor)
