"""redpost serve, as a process of its own; what scan, replay and tail have to do with it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.functional.clikit import RULES, STREAM, Done, redpost

STARTED = ("--started-at", "2024-06-01T20:00:00+08:00")
SHOWN = ("id", "tenant", "room", "broadcast", "rule", "category", "tier", "severity", "scope", "at", "offset_ms")

PROBE = "probe-"


async def call(*words: str | Path) -> Done:
    return await asyncio.to_thread(redpost, *words)


@asynccontextmanager
async def program(*words: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`redpost` with these words; it must end by Ctrl+C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", *map(str, words), stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's background jobs ignore it
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            await process.communicate()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return (await process.stdout.readline()).decode().rstrip("\n")


async def listening(tail: asyncio.subprocess.Process, url: str) -> None:
    """Until `tail` tells of an alert of rooms that are no part of the test."""
    heard = asyncio.create_task(line_of(tail))
    async with ClientSession() as session:
        for n in range(600):
            probe = {"id": f"{PROBE}{n}", "room": f"{PROBE}{n}", "kind": "transcript", "text": "这个品质就是全网最好"}
            async with session.post(f"{url}/api/v1/events", json=[probe]) as answer:
                assert answer.status == 200
            if (await asyncio.wait([heard], timeout=0.2))[0]:
                break
    await heard


async def alerts_of(url: str, count: int) -> list[dict[str, Any]]:
    """All alerts, as soon as there are `count`."""
    async with ClientSession() as session, asyncio.timeout(20):
        while True:
            async with session.get(f"{url}/api/v1/alerts?limit=100") as response:
                alerts: list[dict[str, Any]] = (await response.json())["alerts"]
            found = [alert for alert in alerts if not alert["room"].startswith(PROBE)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_the_service_raises_the_alerts_that_scan_foretells(tmp_path: Path) -> None:
    foretold = (await call("scan", STREAM, "--rules", RULES, "--alerts", "--json", *STARTED)).out.splitlines()
    expected = {alert["id"]: alert for alert in map(json.loads, foretold)}
    assert len(expected) == 5
    async with program("serve", "--port", "0", "--data", tmp_path / "data", "--rules", RULES) as service:
        listens = await line_of(service)
        url = listens.removeprefix("redpost listens on ")
        async with program("tail", "--url", url, "--json") as tail:
            await listening(tail, url)
            sent = await call("replay", STREAM, "--to", url, "--speed", "inf", *STARTED)
            assert sent.code == 0
            assert sent.err.endswith("9 events sent: 9 accepted, 0 duplicates, 0 rejected\n")
            found = await alerts_of(url, len(expected))
            opened: set[str] = set()
            while opened != set(expected):
                alert = json.loads(await line_of(tail))["alert"]
                opened.update([] if alert["room"].startswith(PROBE) else [alert["id"]])
        assert tail.returncode == 130
        again = await call("replay", STREAM, "--to", url, "--speed", "inf", *STARTED)
        assert "0 accepted, 9 duplicates" in again.err
        fresh = await call("replay", STREAM, "--to", url, "--speed", "inf", "--fresh", *STARTED)
        assert "9 accepted, 0 duplicates" in fresh.err
    assert service.returncode == 0
    assert {alert["id"]: {key: alert[key] for key in SHOWN} for alert in found} == {
        name: {key: alert[key] for key in SHOWN} for name, alert in expected.items()}


async def test_what_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[http]\nport = 'x'\n", encoding="utf-8")
    assert "http.port must be a port" in (await call("serve", "--config", tmp_path / "bad.toml")).err
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "serve", "--port", "0", "--data", str(tmp_path / "data"),
        "--rules", str(tmp_path / "nowhere"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert b"Traceback" not in err
    assert b"nowhere" in err


async def links_of(data: Path) -> list[str]:
    """The addresses that a service prints which is not open to everybody of this machine, once it has ended."""
    async with program("serve", "--host", "0.0.0.0", "--port", "0", "--rules", RULES, "--data", data) as service:  # noqa: S104
        address = (await line_of(service)).rpartition(" ")[2]
        links = []
        if "sign in for the first time" in await line_of(service):
            login, link = (await line_of(service)).split()
            assert login == "admin" and link.startswith(f"{address}/invitations/")
            links.append(link)
        async with ClientSession() as session:
            async with session.get(f"{address}/api/v1/rooms".replace("0.0.0.0", "127.0.0.1")) as answer:  # noqa: S104
                assert answer.status == 401
            for link in links:
                asked = link.replace("0.0.0.0", "127.0.0.1").replace("/invitations", "/api/v1/invitations")  # noqa: S104
                async with session.get(asked) as answer:
                    assert (await answer.json())["login"] == "admin"
    assert service.returncode == 0
    return links


async def test_beyond_loopback_the_first_user_comes_in_by_a_new_link_at_each_start(tmp_path: Path) -> None:
    first, second = await links_of(tmp_path / "data"), await links_of(tmp_path / "data")
    assert first and second and first[0].rpartition("/")[2] != second[0].rpartition("/")[2]
