"""Starting the scripts of deploy/dev; what cannot be had skips its tests, loudly, and fails them where CI=true."""

import os
import secrets
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

SCRIPTS = Path(__file__).parents[2] / "deploy/dev"
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_handed_out: set[int] = set()


def untested(why: str) -> NoReturn:
    """Skip, loudly; fail where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def script(name: str, *words: str) -> str:
    """What it prints. Untested where it fails."""
    done = subprocess.run([SCRIPTS / name, *words], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        untested(f"{name} {' '.join(words)} failed, so what needs it was NOT tested:\n{done.stderr[-1_000:]}")
    return done.stdout.strip()


def free_ports(count: int) -> int:
    """The first of so many neighbouring ports that nobody listens on nor was told of here. They are none of those that
    the kernel gives to outgoing connections: one of these could be taken before a server that only starts binds it."""
    lowest, highest = map(int, _GIVEN.read_text().split())
    first, end = max((11_000, lowest), (highest + 1, 65_536), key=lambda part: part[1] - part[0])
    if end - first < 1_000:
        first, end = 11_000, 65_536
    for _ in range(1_000):
        port = secrets.choice(range(first, end - count))
        ports = range(port, port + count)
        if _handed_out.isdisjoint(ports) and all(map(_free, ports)):
            _handed_out.update(ports)
            return port
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
