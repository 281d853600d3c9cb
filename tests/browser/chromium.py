"""A Chromium without a window, driven over its DevTools protocol."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.faults.harness import until
from tests.parts.running import untested

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS: Final = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-proxy-server",
    "--no-sandbox",  # which root and many containers can't have; it opens no page but this service's
)


def chromium() -> str:
    """The program. Without one the test is skipped, and fails where CI=true."""
    found = next(filter(None, map(shutil.which, (os.environ.get("CHROMIUM", ""), *_NAMES))), None)
    if found is None:
        untested("the pages were NOT tested: no Chromium; install it (Debian: apt install chromium), or set CHROMIUM")
    return found


class Page:
    """One tab. `errors`: what went wrong in it; `unreachable`: requests without an answer, as while nothing listens."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[Any]") -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.errors: list[str] = []
        self.unreachable: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            found = json.loads(message.data)
            if "id" in found:
                self._answers.pop(found["id"]).set_result(found)
            else:
                self._note(found["method"], found["params"])
        for waiting in self._answers.values():
            waiting.set_exception(ConnectionResetError("Chromium is gone"))

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.errors.append(str(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            entry = told["entry"]
            gone = entry["source"] == "network" and "net::ERR_" in entry["text"]
            (self.unreachable if gone else self.errors).append(f"{entry['text']} {entry.get('url', '')}")

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        found = await answer
        assert "error" not in found, found
        result: dict[str, Any] = found["result"]
        return result

    async def go(self, address: str) -> None:
        self._loaded.clear()
        told = await self.call("Page.navigate", url=address)
        assert "errorText" not in told, told
        await self._loaded.wait()

    async def value(self, script: str) -> Any:
        """What an expression gives in the page, as JSON."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str, *, equals: object = None) -> Any:
        """Poll an expression until it gives something true, or this."""
        async def found() -> Any:
            value = await self.value(script)
            return [value] if (value == equals if equals is not None else value) else None

        try:
            return (await until(found))[0]
        except AssertionError as error:
            raise AssertionError(f"{script} gives {await self.value(script)!r}; errors: {self.errors}") from error


@asynccontextmanager
async def opened(profile: Path) -> AsyncIterator[Page]:
    """An empty tab of a browser that has nothing from before. `profile`: a folder of its own."""
    command = [chromium(), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    profile.mkdir()
    place = profile / "DevToolsActivePort"
    with (profile / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)  # noqa: ASYNC220, S603
    try:
        await until(lambda: process.poll() is not None or (place.exists() and place.read_text().count("\n")))
        assert process.poll() is None, (profile / "said").read_text(errors="replace")
        port = place.read_text().split("\n")[0]
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tab = next(each for each in await answer.json() if each["type"] == "page")
            async with http.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                listening = asyncio.create_task(page.listen())
                for domain in ("Page", "Runtime", "Log"):
                    await page.call(f"{domain}.enable")
                yield page
                listening.cancel()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own group, begun above
        process.wait()
