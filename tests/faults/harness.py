"""A service in a process of its own that may die at any moment, its clients, and what is left on its disk.

Nothing here measures time: `until` polls, with a deadline that only a hanging service meets.
"""

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import aiohttp
import msgspec
import zstandard

from monitor.adapters.sqlite import sqlite3
from monitor.domain import frames
from monitor.domain.frames import Entry

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).with_name("rules")
SETTINGS: Mapping[str, object] = {
    "alerts.gap_ms": 4_000, "alerts.longest_ms": 9_000,  # groups open and close within a short stream
    "engine.snapshot_s": 1, "ingest.future_ms": 10**9, "rules.watch": False, "telemetry.log_level": "warning",
}
DEADLINE_S = 90

_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
os.execv(sys.argv[2], sys.argv[2:])
"""

GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)
T = TypeVar("T")
Item = dict[str, Any]
Batch = Sequence[Item]


async def until(what: Callable[[], Any], *, seconds: float = DEADLINE_S) -> Any:
    """Poll `what` (may be a coroutine function) until it gives something true."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"nothing came of {what} within {seconds} s")
        await asyncio.sleep(0.02)


class Server:
    """`redpost serve` on one data folder, started again and again."""

    def __init__(self, data: Path, *, rules: Path = RULES, port: int = 0, **settings: object) -> None:
        """`port`: 0 takes a free one at each start. `settings` by dotted name with two underscores for the dot, over
        SETTINGS."""
        self.data = data
        self.rules = rules
        self.port = port
        self.settings = {**SETTINGS, **{name.replace("__", "."): value for name, value in settings.items()}}
        self.process: subprocess.Popen[bytes] | None = None
        self.address = ""
        self.starts = 0

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def output(self, name: str = "err") -> str:
        """What the latest process said."""
        return (self.data.parent / f"{self.data.name}-{self.starts}.{name}").read_text(errors="replace")

    def spawn(self, failpoint: str = "", *, file_bytes: int = 0) -> None:
        """Start a process without waiting for it. `file_bytes` > 0: no file may become larger, as on a full disk."""
        assert self.process is None or self.process.poll() is not None
        self.address = ""
        self.starts += 1
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REDPOST_")}
        for name, value in self.settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            environ["REDPOST_" + name.upper().replace(".", "__")] = text
        environ["REDPOST_FAILPOINT"] = failpoint
        command = [sys.executable, "-m", "monitor", "serve", "--data", str(self.data), "--port", str(self.port),
                   "--rules", str(self.rules)]
        if file_bytes:
            command = [sys.executable, "-c", _LIMITED, str(file_bytes), *command]
        place = self.data.parent / f"{self.data.name}-{self.starts}"
        with place.with_suffix(".out").open("wb") as out, place.with_suffix(".err").open("wb") as err:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=err)  # noqa: S603

    async def start(self, failpoint: str = "") -> None:
        self.spawn(failpoint)
        if not await self.ready():
            raise AssertionError(f"the service did not start: {self.process and self.process.poll()} {self.output()}")

    async def ready(self) -> bool:
        """True once it listens; False where it died before."""
        assert self.process is not None
        process = self.process

        def listens() -> "re.Match[str] | bool":
            return re.search(r"listens on (http://\S+)\n", self.output("out")) or process.poll() is not None

        found = await until(listens)
        if isinstance(found, bool):
            return False
        self.address = found[1]
        return True

    def limit(self, file_bytes: int) -> None:
        """From now on no file may become larger; 0: any may."""
        most = resource.RLIM_INFINITY
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (file_bytes or most, most))

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    async def ended(self, *, seconds: float = DEADLINE_S) -> int:
        """Wait for the process to end by itself; its exit status (negative: the signal)."""
        assert self.process is not None
        status = await asyncio.to_thread(self.process.wait, seconds)
        self.address = ""
        return status

    async def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended()

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@asynccontextmanager
async def serving(
    data: Path, failpoint: str = "", *, rules: Path = RULES, port: int = 0, **settings: object
) -> AsyncIterator[Server]:
    server = Server(data, rules=rules, port=port, **settings)
    try:
        await server.start(failpoint)
        yield server
    finally:
        if server.alive():
            await server.kill()


# --- clients


def body_of(batch: Batch) -> bytes:
    return b"\n".join(msgspec.json.encode(item) for item in batch)


def key_of(item: Item) -> tuple[str, int]:
    return item["id"], item.get("revision", 0)


class Client:
    """Sends batches, remembers what was acknowledged, reads what the service shows."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=DEADLINE_S))
        self.acknowledged: set[tuple[str, int]] = set()
        self.deaths = 0

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def post(self, batch: Batch) -> tuple[int, dict[str, Any]]:
        """One try: (status, answer). Raises what GONE holds."""
        async with self.http.post(f"{self.server.address}/api/v1/events", data=body_of(batch)) as answer:
            status, told = answer.status, await answer.json()
        if status == 200:
            assert told["accepted"] + told["duplicates"] == len(batch) and not told["rejected_total"], told
            self.acknowledged.update(map(key_of, batch))
        return status, told

    async def deliver(
        self, batches: Iterable[Batch], *, failpoints: Iterable[str] = (), after: Callable[[], None] = lambda: None
    ) -> None:
        """Every batch in order, until it is acknowledged; a dead service is started again, with the next fail point.

        `after` is called after each acknowledgement.
        """
        coming = iter(failpoints)
        for batch in batches:
            while True:
                try:
                    status, told = await self.post(batch)
                except GONE:
                    await self.revive(next(coming, ""))
                    continue
                assert status == 200, told
                after()
                break

    async def revive(self, failpoint: str = "") -> None:
        """Wait for the death that a client has seen, and start again, once more where that meets its fail point."""
        while True:
            status = await self.server.ended()
            assert status == -signal.SIGKILL, (status, self.server.output())
            self.deaths += 1
            self.server.spawn(failpoint)
            if await self.server.ready():
                return
            failpoint = ""

    async def settle(self) -> None:
        """Until everything that the log holds is judged and committed; revives the service where it dies meanwhile."""
        while True:
            await until(lambda: not self.server.alive() or is_settled(self.server.data))
            if self.server.alive():
                return
            await self.revive()

    async def settled(self, read: Callable[["Client"], Awaitable[T]]) -> T:
        """What `read` gives once all is judged; again where it dies meanwhile: a tick may meet a fail point, too."""
        while True:
            await self.settle()
            try:
                return await read(self)
            except GONE:
                await self.revive()

    async def get(self, path: str, **query: object) -> Any:
        parameters = {name: str(value) for name, value in query.items() if value is not None}
        async with self.http.get(f"{self.server.address}{path}", params=parameters) as answer:
            assert answer.status == 200, await answer.text()
            return await (answer.json() if answer.content_type == "application/json" else answer.text())

    async def reload(self) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.server.address}/api/v1/rules/reload") as answer:
            return answer.status, await answer.json()

    async def metric(self, name: str) -> float:
        """The sum over all labels."""
        text = await self.get("/metrics")
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))

    async def alerts(self) -> dict[str, Item]:
        """All pages, without what differs between two runs by right; no alert stands on two pages."""
        found: dict[str, Item] = {}
        cursor = None
        while True:
            page = await self.get("/api/v1/alerts", limit=37, cursor=cursor)
            for alert in page["alerts"]:
                assert alert["id"] not in found
                del alert["accepted_at"]
                found[alert["id"]] = alert
            cursor = page["next"]
            if cursor is None:
                return found

    async def archive(self) -> dict[tuple[str, int], Item]:
        """All kept events; no (id, revision) comes twice. Pages by time, which is each event's own."""
        found: dict[tuple[str, int], Item] = {}
        end = None
        while True:
            page = (await self.get("/api/v1/events", limit=500, until=end))["events"]
            for event in page:
                assert (event["id"], event["revision"]) not in found, event
                del event["speaker"]  # the pseudonym's key is each data folder's own
                found[event["id"], event["revision"]] = event
            if not page:
                return found
            end = page[-1]["at"]


class Listener:
    """An SSE client that comes back with Last-Event-ID. Used as `async with listening(server) as listener`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.last = ""
        self.heard: list[tuple[int, str, str]] = []
        """(outbox number, what, alert)"""
        self.lanes: dict[str, int] = {}
        self.resets = 0
        self.connections = 0
        self.connected = False

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_read=DEADLINE_S)) as http:
            while True:
                with suppress(*GONE):
                    await self._listen(http)
                self.connected = False
                await asyncio.sleep(0.02)

    async def _listen(self, http: aiohttp.ClientSession) -> None:
        if not self.server.address:
            return
        headers = {"Last-Event-ID": self.last} if self.last else {}
        async with http.get(f"{self.server.address}/api/v1/alerts/stream", headers=headers) as stream:
            assert stream.status == 200
            self.connections += 1
            fields: dict[bytes, bytes] = {}
            async for line in stream.content:
                name, _, value = line.rstrip(b"\n").partition(b": ")
                if name:
                    fields[name] = value
                elif fields:  # an empty line: the event is complete
                    self._hear(fields)
                    fields = {}

    def _hear(self, fields: dict[bytes, bytes]) -> None:
        if b"id" in fields:
            self.last = fields[b"id"].decode()
        kind = fields.get(b"event")
        if kind == b"hello":
            self.connected = True
        elif kind == b"reset":
            self.resets += 1
            self.connected = True
        elif kind == b"alert":
            update = msgspec.json.decode(fields[b"data"])
            self.heard.append((int(fields[b"id"]), update["what"], update["alert"]["id"]))
            self.lanes[update["alert"]["id"]] = update["alert"]["lane"]


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Listener]:
    """Connected before anything is sent."""
    listener = Listener(server)
    task = asyncio.create_task(listener.run())
    try:
        await until(lambda: listener.connected or task.done())
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


# --- what is on disk; read only, so that a look changes nothing


def query(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=DEADLINE_S)) as db:
        return db.execute(statement).fetchall()


class Position(NamedTuple):
    """A lane's committed position, and the last frame of the lane in the log."""

    seq: int
    last: int


def positions(data: Path) -> dict[int, Position]:
    last = dict(query(data / "log.db", "SELECT lane, max(seq) FROM entries WHERE lane >= 0 GROUP BY lane"))
    seqs = dict(query(data / "store.db", "SELECT lane, seq FROM positions"))
    return {lane: Position(seqs.get(lane, 0), last.get(lane, 0)) for lane in (0, 1)}


def is_settled(data: Path) -> bool:
    return all(position.seq >= position.last for position in positions(data).values())


def logged(data: Path) -> list[tuple[int, Entry]]:
    """The log's entries with their numbers."""
    unpack = zstandard.ZstdDecompressor().decompress
    return [(seq, frames.decode(unpack(payload)))
            for seq, payload in query(data / "log.db", "SELECT seq, payload FROM entries ORDER BY seq")]


def stored_findings(data: Path) -> dict[str, tuple[str, bool]]:
    """Finding → (alert, whether it stands)."""
    return {name: (alert, withdrawn is None)
            for name, alert, withdrawn in query(data / "store.db", "SELECT id, alert_id, withdrawn FROM findings")}


def outbox(data: Path) -> list[tuple[int, str, str]]:
    return query(data / "store.db", "SELECT seq, what, alert_id FROM outbox ORDER BY tenant, seq")
