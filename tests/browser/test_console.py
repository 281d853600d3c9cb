"""The console in a browser: its own tests (`monitor/console/e2e`) against a running service."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.architecture.test_repository import ROOT
from tests.browser.chromium import chromium
from tests.browser.vitest import CONSOLE, VITEST, vitest
from tests.faults.harness import Server, serving
from tests.parts.running import free_ports, untested


def needed(path: Path) -> None:
    """Skipped where the console was not installed or built, and failing where CI=true."""
    if not path.exists():
        untested(f"the console was NOT tested: no {path.relative_to(ROOT)}; run `make console`")


@asynccontextmanager
async def steering(server: Server) -> AsyncIterator[str]:
    """The address at which a page's test kills and starts the service."""

    async def steer(request: web.Request) -> web.Response:
        await (server.kill() if request.match_info["what"] == "kill" else server.start())
        return web.Response()

    app = web.Application()
    app.router.add_post("/{what}", steer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_ports(1))
    await site.start()
    try:
        yield site.name
    finally:
        await runner.cleanup()


SETTINGS: Mapping[str, object] = {"alerts.storm_most": 10_000, "outside.private": True}
"""A hundred alerts are no storm, and recordings come from this machine."""


async def test_its_logic() -> None:
    needed(VITEST)
    sys.stdout.write(await vitest("src"))


JOURNEY: Mapping[str, object] = {**SETTINGS, "http.require_token": True, "alerts.storm_most": 5}
"""Nobody comes in without a session or a token, and a handful of alerts is a storm."""


async def keys(server: Server) -> dict[str, str]:
    """The first person's link, as the service prints it, and a token for the programs around it."""
    link = re.search(r"/invitations/\S+", server.output("out"))
    assert link, server.output("out")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "token", "new", "--name", "e2e", "--scopes", "admin", "--data", server.data,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    return {"REDPOST_FIRST": link[0], "REDPOST_TOKEN": told.decode().split()[-1]}


FILES = sorted(path.name for path in (CONSOLE / "e2e").glob("*.test.ts"))


@pytest.mark.parametrize("name", FILES)
async def test_its_pages(name: str, tmp_path: Path) -> None:
    needed(VITEST)
    needed(CONSOLE / "dist/index.html")
    journey = name.startswith("journey")
    async with (
        serving(tmp_path / "data", port=free_ports(1), **(JOURNEY if journey else SETTINGS)) as server,
        steering(server) as steer,
    ):
        said = await vitest(
            f"e2e/{name}", **(await keys(server) if journey else {}), CI="true",
            REDPOST_URL=server.address, REDPOST_STEER=steer, CHROMIUM=chromium(),
            REDPOST_SHOTS=os.environ.get("REDPOST_SHOTS", str(tmp_path / "shots")))
    sys.stdout.write(said)
