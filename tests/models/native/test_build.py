"""Compiling at first use: what is kept, what is refused, and many processes at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.native import build
from models.native.build import BuildError, load


def _compiler_is_missing() -> str | None:
    try:
        build.find_compiler()
    except BuildError as error:
        return str(error)
    return None


pytestmark = pytest.mark.skipif(_compiler_is_missing() is not None, reason=str(_compiler_is_missing()))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "counterpoint" / "native"


@pytest.fixture
def source(tmp_path) -> Path:
    return _write(tmp_path / "answer.cpp", 42)


def _write(path: Path, answer: int) -> Path:
    path.write_text(f'extern "C" int answer() {{ return {answer}; }}\n')
    return path


def _start(source: Path) -> subprocess.Popen[str]:
    """Load it in another process, by the one file: the package around it would import torch."""
    code = "import sys, pathlib, build as b; print(b.load(pathlib.Path(sys.argv[1])).answer())"
    where = Path(build.__file__).parent
    return subprocess.Popen([sys.executable, "-c", code, str(source)], cwd=where, stdout=subprocess.PIPE, text=True)


def _kept(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


def test_it_is_compiled_once_and_kept_for_its_owner_alone(source, cache):
    assert load(source).answer() == 42
    (kept,) = _kept(cache)
    before = kept.stat()
    assert load(source).answer() == 42
    assert kept.stat() == before
    assert before.st_mode & 0o077 == 0
    assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in (cache, cache.parent))


def test_another_source_or_flag_is_another_library(source, cache):
    assert load(source).answer() == 42
    assert load(_write(source, 43)).answer() == 43
    assert load(source, ("-O1",)).answer() == 43
    assert len(_kept(cache)) == 3


def test_what_it_includes_is_part_of_it_and_comes_once(tmp_path, cache):
    source, part = tmp_path / "answer.cpp", tmp_path / "parts" / "six.h"
    part.parent.mkdir()
    (tmp_path / "parts" / "seven.h").write_text('#include "six.h"\nstatic int seven() { return six() + 1; }\n')
    text = 'extern "C" int answer() { return six() * seven(); }\n'
    source.write_text('#include <cstdint>\n#include "parts/six.h"\n#include "parts/seven.h"\n' + text)
    for six in (6, 9):
        part.write_text(f"static int six() {{ return {six}; }}\n")
        assert load(source).answer() == six * (six + 1)
    assert len(_kept(cache)) == 2


def test_a_part_that_is_not_there_is_told(tmp_path, cache):
    source = tmp_path / "answer.cpp"
    source.write_text('#include "gone.h"\n')
    with pytest.raises(BuildError, match=r"^compiled code: cannot read .*gone\.h: No such file"):
        load(source)


def test_another_processor_or_compiler_is_another_library(source, cache, monkeypatch):
    load(source)
    with monkeypatch.context() as patch:
        patch.setattr(build, "_processor", lambda: b"another")
        load(source)
    wrapper = source.with_name("compiler")
    wrapper.write_text(f'#!/bin/sh\nexec {build.find_compiler()[0]} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CXX", str(wrapper))
    assert load(source).answer() == 42
    assert len(_kept(cache)) == 3


@pytest.mark.parametrize("what", ["file", "folder", "parent"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_may_write_to_is_never_loaded(source, cache, what, mode):
    load(source)
    path = {"file": _kept(cache)[0], "folder": cache, "parent": cache.parent}[what]
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(BuildError, match=r"can be written to by others: chmod go-w it, or remove it$"):
        load(source)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["file", "folder", "parent"])
def test_what_belongs_to_another_user_is_never_loaded(source, cache, what):
    load(source)
    os.chown({"file": _kept(cache)[0], "folder": cache, "parent": cache.parent}[what], 54321, -1)
    with pytest.raises(BuildError, match=r"is not ours: remove it, or set XDG_CACHE_HOME"):
        load(source)


@pytest.mark.parametrize("what", ["file", "folder", "parent"])
def test_a_symbolic_link_is_never_followed(source, cache, what):
    load(source)
    path = {"file": _kept(cache)[0], "folder": cache, "parent": cache.parent}[what]
    elsewhere = path.rename(source.with_name("elsewhere"))
    path.symlink_to(elsewhere)
    with pytest.raises(BuildError):
        load(source)


def test_a_link_to_nothing_is_not_compiled_into(source, cache):
    load(source)
    (kept,) = _kept(cache)
    kept.unlink()
    kept.symlink_to(source.with_name("victim"))
    with pytest.raises(BuildError):
        load(source)
    assert not source.with_name("victim").exists()


def test_a_folder_that_cannot_be_made(source, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(source))
    with pytest.raises(BuildError, match="^no folder for compiled code: [^\n]*$"):
        load(source)


def test_a_relative_cache_is_ignored_as_its_standard_says(source, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build.cache_folder() == tmp_path / ".cache" / "counterpoint" / "native"


def test_what_does_not_compile_says_so_in_one_line_and_leaves_nothing(source, cache):
    source.write_text('extern "C" int answer() { return nothing; }\n')
    with pytest.raises(BuildError, match="failed: [^\n]*error[^\n]*nothing[^\n]*$"):
        load(source)
    assert _kept(cache) == []


def test_a_broken_library_is_refused(source, cache):
    _start(_write(source, 7)).communicate()  # by another process: a library is loaded once in each
    (kept,) = _kept(cache)
    kept.write_bytes(b"not a library")
    with pytest.raises(BuildError, match="cannot be loaded"):
        load(source)


def test_a_compiler_that_is_named_but_not_there(source, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O9")
    with pytest.raises(BuildError, match="^no C\\+\\+ compiler 'no-such-compiler', which the variable CXX names$"):
        load(source)


def test_a_compiler_that_does_not_know_its_machine(source, monkeypatch):
    monkeypatch.setattr(build, "MACHINE_FLAGS", (("-march=of-another-world",), ()))
    assert load(source).answer() == 42


def test_many_processes_at_once(source, cache):
    started = [_start(source) for _ in range(4)]
    assert [process.communicate()[0].strip() for process in started] == ["42"] * 4
    assert len(_kept(cache)) == 1
