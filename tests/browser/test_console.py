"""The console in a browser: its own tests (`monitor/console/e2e`) against a running service."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.architecture.test_repository import ROOT
from tests.browser.chromium import chromium
from tests.faults.harness import serving

CONSOLE = ROOT / "monitor/console"
VITEST = CONSOLE / "node_modules/.bin/vitest"


def needed(path: Path) -> None:
    """Skipped where the console was not installed or built, and failing where CI=true."""
    if not path.exists():
        why = f"the console was NOT tested: no {path.relative_to(ROOT)}; run `make console`"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


async def vitest(*arguments: str, **environment: str) -> None:
    command = [str(ROOT / "deploy/dev/node.sh"), str(VITEST), "run", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CONSOLE, env={**os.environ, "CI": "true", **environment}, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    sys.stdout.write(said.decode())
    assert process.returncode == 0, said.decode()[-6_000:]


async def test_its_logic() -> None:
    needed(VITEST)
    await vitest("src")


FILES = sorted(path.name for path in (CONSOLE / "e2e").glob("*.test.ts"))


@pytest.mark.parametrize("name", FILES)
async def test_its_pages(name: str, tmp_path: Path) -> None:
    needed(VITEST)
    needed(CONSOLE / "dist/index.html")
    async with serving(tmp_path / "data", **{"alerts.storm_most": 10_000}) as server:
        await vitest(f"e2e/{name}", REDPOST_URL=server.address, CHROMIUM=chromium(),
                     REDPOST_SHOTS=os.environ.get("REDPOST_SHOTS", str(tmp_path / "shots")))
