"""A whole service, all of it real but its clock, which stands: `async with evening(folder, …) as found`.

What it does by the clock beside the judging is done where the test says so.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar
from msgspec.structs import replace

from monitor.bootstrap.service import Service
from monitor.settings import load
from tests.functional.fakes import FakeLogger

NOW = 1_795_435_200_000
"""Monday, 23 November 2026, 20:00 in Shanghai."""
ROOT = Path(__file__).parents[2]
_PACK = "id: evening\ntitle: 一晚\nversion: 1\n"
_PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


class Still:
    """Stands at `ms`."""

    def __init__(self) -> None:
        self.ms = NOW

    def now(self) -> int:
        return self.ms

    def go_on_from(self, at: int) -> None:
        """Its time is the test's."""


class Person:
    """Somebody who has signed in."""

    def __init__(self, session: ClientSession, base: str, csrf: str) -> None:
        self._session, self._base, self._csrf = session, base, csrf

    @asynccontextmanager
    async def asks(self, method: str, path: str, status: int = 200, **more: Any) -> AsyncIterator[ClientResponse]:
        headers = {"X-CSRF-Token": self._csrf} if method != "GET" else {}
        async with self._session.request(method, f"{self._base}{path}", headers=headers, **more) as response:
            assert response.status == status, await response.text()
            yield response

    async def get(self, path: str, status: int = 200, **params: str) -> Any:
        async with self.asks("GET", f"/api/v1/{path}", status, params=params) as response:
            return await response.json()

    async def file(self, path: str) -> bytes:
        async with self.asks("GET", f"/api/v1/{path}") as response:
            return await response.read()

    async def send(self, path: str, body: Any, status: int = 200, *, method: str = "POST") -> Any:
        async with self.asks(method, f"/api/v1/{path}", status, json=body) as response:
            return await response.json()

    async def move(self, alert: str, move: str, status: int = 200, **more: Any) -> Any:
        answer = await self.send("moves", {"moves": [{"alert": alert, "move": {"move": move, **more}}]}, status)
        return answer["alerts"][0] if status == 200 else answer["error"]


class Evening:
    """`service`, its `clock`, and people of every role in two tenants, `local` and `street`."""

    def __init__(self, service: Service, clock: Still, base: str, stack: AsyncExitStack) -> None:
        self.service, self.clock, self.base, self._stack = service, clock, base, stack
        self._people: dict[tuple[str, str], Person] = {}
        self._links: dict[tuple[str, str], str] = {}
        self._said = 0

    async def invite(self, tenant: str) -> None:
        for link in await self.service.persons.people.one_of_each(tenant):
            self._links[tenant, link.login] = link.secret

    async def person(self, role: str, tenant: str = "local") -> Person:
        """Takes the one-time link when first asked for: to hash a password takes its time."""
        if (tenant, role) not in self._people:
            session = await self._stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
            join = f"{self.base}/api/v1/invitations/{self._links[tenant, role]}"
            async with session.post(join, json={"password": _PASSWORD}) as response:
                assert response.status == 200, await response.text()
                self._people[tenant, role] = Person(session, self.base, (await response.json())["csrf"])
        return self._people[tenant, role]

    async def hear(self, *lines: tuple[str, str, str]) -> None:
        """(room, who speaks, words), judged and stored when it returns."""
        events = []
        for room, who, words in lines:
            self._said += 1
            events.append({"id": f"e{self._said}", "room": room, "text": words, "at": self.clock.ms,
                           "kind": "transcript" if who == "host" else "comment",
                           "speaker": {"role": who, "id": f"{who}-{room}"}})
        async with ClientSession() as session, session.post(f"{self.base}/api/v1/events", json=events) as response:
            assert (await response.json())["accepted"] == len(lines)
        end = self.service.log.end()
        async with asyncio.timeout(20):
            while min(self.service.detect.positions()) < end:
                await asyncio.sleep(0)
        await self.service.telling.corrections.store()

    async def pass_time(self, seconds: float) -> None:
        self.clock.ms += round(seconds * 1_000)
        await self.service.post.pass_time()


def write_rules(folder: Path, rules: Mapping[str, str]) -> None:
    """The shipped ways of speaking and clauses, and these rules (by file name, YAML)."""
    (folder / "evening").mkdir(parents=True)
    for name in ("contexts.yml", "clauses.yml"):
        shutil.copy(ROOT / "rules" / name, folder / name)
    for name, text in {"pack": _PACK, **rules}.items():
        (folder / "evening" / f"{name}.yml").write_text(text, encoding="utf-8")


@asynccontextmanager
async def evening(folder: Path, rules: Mapping[str, str], **overrides: Any) -> AsyncIterator[Evening]:
    """`overrides`: of settings, with `__` for the dot."""
    write_rules(folder / "rules", rules)
    settings = load(environ={}, overrides={
        "data.dir": str(folder / "data"), "rules.dir": str(folder / "rules"), "http.port": 0, "model.dir": "none",
        **{name.replace("__", "."): value for name, value in overrides.items()}}).settings
    service = Service(settings, demo=False, logger=FakeLogger())
    service.clock = clock = Still()  # type: ignore[assignment]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(service.close)
        await service.open()
        service.detect.settings = replace(service.detect.settings, commit_ms=0)  # its clock stands
        found = Evening(service, clock, await service.listen(), stack)
        judging = asyncio.create_task(service.detect.run())
        try:
            for tenant in ("local", "street"):
                await found.invite(tenant)
            yield found
        finally:
            service.detect.stop()
            await judging
