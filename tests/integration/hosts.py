"""Hosts of a network of their own on this machine: network namespaces on one bridge, which the test is on too.

Each has an address and a loopback of its own, so that what listens on `127.0.0.1` of one is not there for another.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Host:
    """A host.

    Attributes:
        namespace: of the network.
        address: in it.
    """

    namespace: str
    address: str

    def command(self, *words: str) -> list[str]:
        """A command that runs there."""
        return ["ip", "netns", "exec", self.namespace, *words]


@contextmanager
def hosts(count: int) -> Iterator[tuple[str, list[Host]]]:
    """Yield this process's own address in the network, and the other hosts; skip the test where none can be made."""
    if shutil.which("ip") is None:
        pytest.skip("network namespaces need the program ip (iproute2)")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    number = os.getpid()
    bridge, network = f"cpb{number}", f"10.{200 + number % 50}.{number // 50 % 250}"
    made = [Host(f"cp{number}-{n}", f"{network}.{n + 1}") for n in range(1, count + 1)]
    try:
        try:
            _ip("link", "add", bridge, "type", "bridge")
            _ip("addr", "add", f"{network}.1/24", "dev", bridge)
            _ip("link", "set", bridge, "up")
            for n, host in enumerate(made):
                _join(host, bridge, f"cp{number}{'abcdef'[n]}")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces are refused: {error.stderr.strip()}")
        yield f"{network}.1", made
    finally:
        for host in made:
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", host.namespace)
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", bridge)


def _join(host: Host, bridge: str, cable: str) -> None:
    """Make a host, and the cable from it to the bridge."""
    inside = ("netns", "exec", host.namespace, "ip")
    _ip("netns", "add", host.namespace)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
    _ip("link", "set", cable, "master", bridge, "up")
    _ip(*inside, "addr", "add", f"{host.address}/24", "dev", "eth0")
    _ip(*inside, "link", "set", "eth0", "up")
    _ip(*inside, "link", "set", "lo", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def reached_from(address: str, port: int) -> Iterator[int]:
    """Let what listens on a port of this process's loopback be reached at an address; yields the port there."""
    with socket.create_server((address, 0)) as listening:
        threading.Thread(target=_pass_on, args=(listening, port), daemon=True).start()
        yield listening.getsockname()[1]


def _pass_on(listening: socket.socket, port: int) -> None:
    with suppress(OSError):  # it was closed
        while True:
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError), closing(other):
        while data := one.recv(1 << 16):
            other.sendall(data)
