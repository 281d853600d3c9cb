"""docs/scale.md takes a stranger from one process to three workers: its commands are run as they stand."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import ROOT, RULES, serving
from tests.parts.running import free_ports, script

SECTION = "## From one process to three workers"


def commands() -> list[str]:
    """Of the section, in order; a here-document with its lines."""
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    section = page[page.index(SECTION) :].split("\n## ", 1)[0]
    found: list[str] = []
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        inside = False
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(line[2:])
                inside = "<<END" in line
            elif inside:
                found[-1] += f"\n{line}"
                inside = line != "END"
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the user `postgres` gets into."""
    folder = Path(tempfile.mkdtemp(prefix="redpost-scale-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_a_stranger_gets_from_one_process_to_three_workers(place: Path) -> None:
    script("kafka.sh", "install")
    script("postgres.sh", "install")
    (place / "deploy").symlink_to(ROOT / "deploy")
    (place / ".venv").mkdir()
    (place / ".venv/bin").symlink_to(Path(sys.executable).parent)
    async with serving(place / "data", "", model__dir="none") as server:
        assert await server.stop() == 0
    ports = {str(port): str(free_ports(2)) for port in (19092, 15432, 8321, 8322, 8331, 8332, 8333)}
    steps = [re.sub("|".join(ports), lambda found: ports[found[0]], command) for command in commands()]
    steps = [re.sub(r"(kafka|postgres)\.sh start", lambda found: f"{found[0]} --port {ports[PORTS[found[1]]]}", step)
             for step in steps]
    assert len(steps) > 15
    said = place / "said"
    with said.open("wb") as out:
        shell = subprocess.Popen(  # noqa: S603, ASYNC220
            ["bash", "-ec", "\n".join([*steps, "kill $(jobs -p)", "wait"])],  # noqa: S607
            cwd=place, stdout=out, stderr=out, start_new_session=True, env={
                **{name: value for name, value in os.environ.items() if not name.startswith("REDPOST_")},
                "PYTHONPATH": str(ROOT), "REDPOST_MODEL__DIR": "none", "REDPOST_RULES__DIR": str(RULES)})
    try:
        async with asyncio.timeout(180):
            while shell.poll() is None:
                await asyncio.sleep(0.1)
        assert shell.returncode == 0, said.read_text(errors="replace")
        assert said.read_text(errors="replace").count("redpost worker answers") == 3
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            pytest.fail(said.read_text(errors="replace"))
        for part in ("kafka", "postgres"):
            await asyncio.to_thread(script, f"{part}.sh", "stop", "--data", str(place / "cluster" / part), "--now")


PORTS = {"kafka": "19092", "postgres": "15432"}
