"""Runs the console's own tests and measurements."""

import asyncio
import os
from typing import Final

from tests.architecture.test_repository import ROOT

CONSOLE: Final = ROOT / "monitor/console"
VITEST: Final = CONSOLE / "node_modules/.bin/vitest"


async def vitest(*arguments: str, **environment: str) -> str:
    """What it said. Raises AssertionError where a test fails."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "deploy/dev/node.sh", VITEST, "run", *arguments, cwd=CONSOLE, env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-6_000:]
    return said.decode()
