"""The scripts of deploy/dev end what they started: no program that has its number by now, be it another cluster's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.parts.running import script

BOTH = pytest.mark.parametrize("part", ["postgres", "kafka"])


def server(folder: Path) -> int:
    """The number of a process that is, in all that the scripts look at, one on this data folder; whose parent is not
    here, since the scripts wait until somebody has taken note of its end."""
    (folder / "cluster").mkdir(parents=True)
    begun = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", sys.executable, "-c", "import time; time.sleep(60)",
         "postgres", "kafka.Kafka", str(folder / "1.properties")],
        cwd=folder / "cluster", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return int(begun.stdout)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[int]:
    yield from ended(server(tmp_path / "own"))


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[int]:
    yield from ended(server(tmp_path / "foreign"))


def ended(number: int) -> Iterator[int]:
    yield number
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def stop(part: str, data: Path, number: int) -> None:
    """With this number as the one that was written down."""
    (data / "cluster").mkdir(parents=True, exist_ok=True)
    for place in (data / "cluster/postmaster.pid", data / "1.pid"):
        place.write_text(f"{number}\n")
    script(f"{part}.sh", "stop", "--data", str(data), "--now")


def lives(number: int) -> bool:
    """Of one that has ended, the command line is empty or gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{number}/cmdline").read_bytes() != b""
    return False


@BOTH
def test_stop_ends_its_own(tmp_path: Path, part: str, own: int) -> None:
    stop(part, tmp_path / "own", own)
    assert not lives(own)


@BOTH
def test_stop_leaves_another_ones_alone(tmp_path: Path, part: str, foreign: int) -> None:
    stop(part, tmp_path / "own", foreign)
    assert lives(foreign)
