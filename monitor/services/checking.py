"""Script checks: a script held against the rules before air, kept with its version, author and time."""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.audit import Deed
from monitor.domain.clauses import Clause
from monitor.domain.errors import BusyError, InputError, NotFound, Refused
from monitor.domain.events import Event
from monitor.domain.findings import RANK, Finding, Remark, gathered
from monitor.domain.ids import digest
from monitor.domain.people import Actor, Permission
from monitor.domain.rejections import Rejected
from monitor.engine.engineset import EngineSet
from monitor.services.organising import Organising
from monitor.services.ports import Clock
from monitor.services.scan import ROOM, Scanner

_AT_ONCE: Final = 1_000
_WAITING: Final = 4
"""Checks that wait for the one that runs."""


class Script(Struct, frozen=True):
    """What is checked. `name`: what people call it; the same name is the same check, in a new version. `file`: the name
    of the file that `data` comes from, whose ending tells its format. `room`: whose facts the rules know."""

    name: str
    data: bytes
    file: str = "script.txt"
    room: str = ""


class Summary(Struct, frozen=True, kw_only=True):
    """A check without its lines. `by`: who had it checked; `at`: UTC ms; `sha256`: of the script as it was sent;
    `findings`: how many, `worst`: the gravest of them, "" for none; `engine_set`: the rules and the classifier."""

    id: str
    name: str
    version: int
    at: int
    by: str
    room: str
    sha256: str
    lines: int
    findings: int
    worst: str
    engine_set: str


class CheckedLine(Struct, frozen=True):
    """One line with what was found in it, each thing once. `text` is masked."""

    line: int
    text: str
    findings: list[Remark]


class Details(Struct, frozen=True):
    """Lines in their order, all of them; statements that the rules want and the script has not; what was no text."""

    lines: list[CheckedLine]
    missing: list[Finding]
    rejected: list[Rejected]


class Check(Struct, frozen=True):
    """One version, whole."""

    summary: Summary
    details: Details


class CheckPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    checks: list[Summary]
    next: str | None


class CheckFilter(Struct, frozen=True, kw_only=True):
    """Any field that is set must match. Times in UTC ms, half-open [since, until)."""

    id: str | None = None
    since: int | None = None
    until: int | None = None


class Read(Struct, frozen=True):
    """A script as events, each with its line, and what could not be read."""

    events: list[Event]
    lines: list[int]
    rejected: list[Rejected]


Reader = Callable[[Script, int], Read]
"""(script, now in UTC ms); raises InputError for what is no script. Called in a thread."""


class Checks(Protocol):
    """Kept checks. Raises StorageError."""

    async def keep(self, tenant: str, check: Check, deed: Deed) -> Check:
        """As the next version of its id, with the row of the trail; the check with its version."""
        ...

    async def one(self, tenant: str, name: str, version: int | None) -> Check | None:
        """By id; None: the latest version."""
        ...

    async def page(self, tenant: str, where: CheckFilter, *, cursor: str | None, limit: int) -> CheckPage:
        """Raises InputError for a bad cursor."""
        ...


class CheckDesk:
    """`engine`: what judges now; `day`: the begin of the day of a time (UTC ms), by which dated rules hold."""

    def __init__(
        self, checks: Checks, organising: Organising, read: Reader, engine: Callable[[], EngineSet],
        day: Callable[[int], int], clock: Clock,
    ) -> None:
        self._checks, self._organising, self._read, self._engine = checks, organising, read, engine
        self._day, self._clock = day, clock
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def check(self, actor: Actor, script: Script) -> Check:
        """Judged off the loop, one at a time, and on disk when it returns. Raises InputError, Refused, BusyError."""
        organisation, now = self._organising.of(actor.tenant), self._clock.now()
        if not actor.may(Permission.PLAN, organisation.above(organisation.unit_of(script.room))):
            raise Refused("permission", "checking a script needs the permission plan", hint="ask somebody who has it")
        if self._waiting >= _WAITING:
            raise BusyError("several scripts wait to be checked", retry_after=5, hint="send it again then")
        self._waiting += 1
        try:
            async with self._turn:
                check = await asyncio.to_thread(self._judged, actor, script, now)
        finally:
            self._waiting -= 1
        told = check.summary
        deed = Deed(tenant=actor.tenant, by=actor.id, at=now, what="check.made", on=told.id,
                    facts={"name": told.name, "sha256": told.sha256, "findings": told.findings, "worst": told.worst})
        return await self._checks.keep(actor.tenant, check, deed)

    async def one(self, actor: Actor, name: str, version: int | None) -> Check:
        """Raises NotFound for what is not there, or not for this actor to see."""
        found = await self._checks.one(actor.tenant, name, version)
        if found is None or not self._sees(actor, found.summary):
            raise NotFound("there is no check with this id and version", hint="GET /api/v1/checks lists them")
        return found

    async def page(self, actor: Actor, where: CheckFilter, *, cursor: str | None, limit: int) -> CheckPage:
        """A page may hold fewer than `limit` of those that the actor may see."""
        page = await self._checks.page(actor.tenant, where, cursor=cursor, limit=limit)
        return CheckPage([told for told in page.checks if self._sees(actor, told)], page.next)

    def cited(self, check: Check) -> list[Clause]:
        """What its findings rest on, as the rules have it now, in the order of their first finding."""
        register = self._engine().ruleset.clauses
        found = [*(each for line in check.details.lines for remark in line.findings for each in remark.all),
                 *check.details.missing]
        names = dict.fromkeys(name for finding in found for name in (*finding.clauses, finding.exempt))
        return [register[name] for name in names if name in register]

    def _sees(self, actor: Actor, told: Summary) -> bool:
        organisation = self._organising.of(actor.tenant)
        return actor.may(Permission.SEE, organisation.above(organisation.unit_of(told.room)))

    def _judged(self, actor: Actor, script: Script, now: int) -> Check:
        read, engine = self._read(script, now), self._engine()
        if not read.events:
            raise InputError("nothing in the script could be read", hint="send text, one paragraph a line, or a .docx")
        details = _details(read, engine, actor.tenant, self._day(now), script.room)
        found = [finding for line in details.lines for finding in line.findings] + details.missing
        worst = max((finding.severity for finding in found), key=RANK.__getitem__, default="")
        return Check(Summary(
            id="c" + digest(actor.tenant, script.name), name=script.name, version=0, at=now, by=actor.id,
            room=script.room, sha256=sha256(script.data).hexdigest(), lines=len(details.lines), findings=len(found),
            worst=str(worst), engine_set=engine.version), details)


def numbered(check: Check, version: int) -> Check:
    return replace(check, summary=replace(check.summary, version=version))


def _details(read: Read, engine: EngineSet, tenant: str, day: int, room: str) -> Details:
    """As `redpost scan` tells it."""
    scanner = Scanner(engine, tenant=tenant, day=day, room=room or ROOM)
    scanned = []
    for first in range(0, len(read.events), _AT_ONCE):
        last = first + _AT_ONCE
        scanned += scanner.scan(read.events[first:last], [("", line) for line in read.lines[first:last]])
    scanned += scanner.finish()
    lines = [CheckedLine(one.place[1], one.masked, gathered(one.findings)) for one in scanned]
    return Details(lines, scanner.missing(), read.rejected)
