"""Programs that tests run in processes of their own: `python -m tests.infra.writers NAME ADDRESS ...`.

Each that others race says `ready` and waits for a line, so that all of a test's processes start at once.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from infra.errors import ConflictError, StoreError
from infra.store import Store

PREFIX = "trials/key"
POINTER = "latest.json"
SCRATCH = "checkpoints/key/7"


def files_of(writer: str) -> dict[str, bytes]:
    """What a writer commits: every writer other bytes, of another size."""
    return {"record.json": f'{{"writer": {writer}}}'.encode(), "weights": writer.encode() * 1000 * (1 + int(writer))}


def race(address: str, writer: str) -> None:
    """Commit, and print the nonce of the manifest that came back."""
    store = Store(address)
    _await_start()
    print(json.dumps(commit(store, writer)))


def commit(store: Store, writer: str) -> list[str]:
    """Commit the files of a writer; the digest of the manifest and the writer that it names."""
    manifest = store.commit(PREFIX, files_of(writer), kind="trial", provenance={"writer": writer})
    return [manifest.digest, manifest.provenance["writer"]]


def count(address: str, times: str) -> None:
    """Add one to a number in a pointer, so many times, by compare-and-swap."""
    store = Store(address)
    _await_start()
    add(store, int(times))


def add(store: Store, times: int) -> None:
    """Add one to the pointer's number, so many times, trying again after every conflict."""
    while times:
        value, token = store.read_pointer(POINTER)
        try:
            store.swap_pointer(POINTER, {"number": (value or {"number": 0})["number"] + 1}, token)
        except ConflictError:
            continue
        times -= 1


def stall(address: str) -> None:
    """Begin a commit, say `midway` after the first object, and never go on."""
    store = Store(address)
    create_all = store._backend.create_all

    def stalling(files: Mapping[str, bytes]) -> list[str]:
        create_all(dict([next(iter(files.items()))]))
        print("midway", flush=True)
        time.sleep(600)
        return []

    store._backend.create_all = stalling
    store.commit(PREFIX, files_of("1"), kind="trial", provenance={})


def stall_discarding(address: str) -> None:
    """Begin to discard a commit, say `midway` after the first deletion, and never go on."""
    store = Store(address)
    delete = store._backend.delete

    def stalling(path: str) -> None:
        delete(path)
        print("midway", flush=True)
        time.sleep(600)

    store._backend.delete = stalling
    store.discard(SCRATCH)


def commit_scratch(store: Store) -> None:
    """Commit two objects where they may be discarded."""
    store.commit(SCRATCH, files_of("1"), kind="checkpoint", provenance={})


def come_and_go(address: str, writer: str) -> None:
    """Commit, point there, and discard both, again and again."""
    store = Store(address)
    _await_start()
    commit_and_discard(store, writer)


def commit_and_discard(store: Store, writer: str) -> None:
    """Commit, point there, and discard both, ten times."""
    for number in range(10):
        prefix, pointer = f"checkpoints/{writer}/{number}", f"checkpoints/{writer}.json"
        store.commit(prefix, files_of(writer), kind="checkpoint", provenance={})
        store.swap_pointer(pointer, {"at": prefix}, None)
        store.verify(prefix)
        store.discard(prefix)
        store.discard_pointer(pointer)


def crash(directory: str, what: str) -> None:
    """Commit, swap or discard in `directory/n`, killed before its n-th line of infra/store, for every n there is."""
    for number in itertools.count(1):
        child = os.fork()
        if child == 0:
            store = Store(f"{directory}/{number}")
            if what == "swap":
                store.swap_pointer(POINTER, {"number": 0}, None)
                _, token = store.read_pointer(POINTER)
                _kill_at_line(number)
                store.swap_pointer(POINTER, {"number": 1}, token)
            elif what == "discard":
                commit_scratch(store)
                _kill_at_line(number)
                store.discard(SCRATCH)
            else:
                _kill_at_line(number)
                commit(store, "1")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            print(json.dumps([number - 1, os.WEXITSTATUS(status)]))
            return


def fill(directory: str) -> None:
    """Commit into a file system of its own until it is full; again where it may not be written to; again with room.

    Prints what was told each time, and the files of the commits that were refused.
    """
    store = Store(directory)
    number, told, left = 0, [], []
    for options in ("size=64k", "ro", "rw,size=1m"):
        subprocess.run(["mount", "-o", f"remount,{options}", directory], check=True)
        try:
            while number < 20:
                store.commit(f"trials/{number}", {"weights": bytes(9000)}, kind="trial", provenance={})
                number += 1
        except StoreError as error:
            told.append(str(error))
        left += [path.name for path in Path(directory, "trials", str(number)).glob("*")]
    for each in range(number):
        store.verify(f"trials/{each}")
    print(json.dumps({"told": told, "left": left, "committed": number}))


def _kill_at_line(number: int) -> None:
    left = number
    lock = threading.Lock()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if "infra/store/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            with lock:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)


def _await_start() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def start(name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start one of these programs."""
    command = [sys.executable, "-m", "tests.infra.writers", name, *arguments]
    root = Path(__file__).resolve().parents[2]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class Processes:
    """Processes that run these programs at once, again and again: each is started once, and imports once."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def run(self, name: str, arguments: Sequence[tuple[str, ...]]) -> list[str]:
        """Let a process for each of the arguments go at once; what each prints."""
        while len(self._started) < len(arguments):
            self._started.append(start("serve"))
        variables = {key: value for key, value in os.environ.items() if key.startswith(("AWS_", "NO_PROXY"))}
        for process, each in zip(self._started, arguments, strict=False):
            _tell(process, json.dumps([variables, name, *each]))
        going = self._started[: len(arguments)]
        assert [_line(process) for process in going] == ["ready\n"] * len(going)
        for process in going:
            _tell(process, "go")
        return ["".join(iter(partial(_line, process), "done\n")) for process in going]

    def end(self) -> None:
        """End all of them."""
        for process in self._started:
            process.communicate()
            assert process.returncode == 0


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"a writer ended with {process.wait()}"
    return line


def serve() -> None:
    """Run what each line names, with its variables and arguments, until there is none."""
    while line := sys.stdin.readline():
        variables, name, *arguments = json.loads(line)
        os.environ.update(variables)
        PROGRAMS[name](*arguments)
        print("done", flush=True)


PROGRAMS: dict[str, Callable[..., None]] = {
    program.__name__: program for program in (race, count, stall, stall_discarding, come_and_go, crash, fill, serve)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
