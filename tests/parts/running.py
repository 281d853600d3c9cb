"""Starting the scripts of deploy/dev; what cannot be had skips its tests, loudly, and fails them where CI=true."""

import os
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

SCRIPTS = Path(__file__).parents[2] / "deploy/dev"


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
    """The first of so many neighbouring ports that nobody listens on."""
    for _ in range(100):
        with closing(socket.socket()) as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        if port + count < 65_536 and all(_free(port + k) for k in range(count)):
            return port
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
