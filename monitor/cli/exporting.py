"""redpost export · ledger corrections · ledger comments"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from monitor.cli.desks import Where

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from monitor.adapters.storage.database import Database
    from monitor.services.exporting import Exporting
    from monitor.settings import Settings

List = Literal["alerts", "queue", "labels", "audit", "records"]
File = Annotated[Path, Parameter(name="FILE", help="File to write: .csv or .xlsx by its name. It must not exist.")]
Since = Annotated[str, Parameter(help="At or after this time: RFC 3339 with an offset, or UTC milliseconds.")]
Until = Annotated[str, Parameter(help="Before this time.")]
Of = Annotated[str, Parameter(help="Only rooms of this unit and of those below it.")]


def export(
    list_: Annotated[List, Parameter(name="LIST", help="alerts, queue, labels, audit or records.")],
    file: File,
    /,
    *,
    where: Annotated[list[str] | None, Parameter(
        help="A filter, as `GET /api/v1/exports/…` takes it: --where severity=critical; of records --where kind=room.",
        negative="")] = None,
    at: Where = Where(),  # noqa: B008
) -> int:
    """Write a list to a file for a spreadsheet: of a running service, or of a data folder, also beside its service.

    The export is on record in the trail.

    ```
    redpost export alerts tonight.csv --where severity=critical --where since=2026-11-23T20:00:00+08:00
    redpost export records rooms.xlsx --where kind=room --tenant agency
    redpost export audit trail.csv --url http://127.0.0.1:8321 --token-file my.token
    ```
    """
    return _write(list_, file, where or [], at)


def corrections(
    file: File, /, *, since: Since = "", until: Until = "", unit: Of = "", at: Where = Where(),  # noqa: B008
) -> int:
    """Write the ledger of corrections (纠错台账): what hosts said that was found to be a violation, and what was done.

    ```
    redpost ledger corrections 纠错台账.xlsx --since 2026-11-01T00:00:00+08:00 --until 2026-12-01T00:00:00+08:00
    ```
    """
    return _ledger("corrections", file, since, until, unit, at)


def comments(
    file: File, /, *, since: Since = "", until: Until = "", unit: Of = "", at: Where = Where(),  # noqa: B008
) -> int:
    """Write the ledger of handled comments (互动处置台账): what viewers wrote, what was decided, and what was done.

    ```
    redpost ledger comments 互动处置台账.csv --unit east
    ```
    """
    return _ledger("comments", file, since, until, unit, at)


def _ledger(name: str, file: Path, since: str, until: str, unit: str, at: Where) -> int:
    given = {"since": since, "until": until, "unit": unit}
    return _write(name, file, [f"{key}={value}" for key, value in given.items() if value], at)


def _filters(name: str, given: list[str]) -> dict[str, object]:
    """As the API reads them. Raises InputError."""
    from monitor.adapters.web.exports import EXPORTS
    from monitor.domain.errors import InputError

    known = {param.name: param for param in EXPORTS[name] if param.name != "format"}
    where: dict[str, object] = {param: None for param in known}
    for one in given:
        key, _, value = one.partition("=")
        if name == "records" and key == "kind":
            where[key] = value
            continue
        if key not in known:
            raise InputError(f"{name} has no filter {key[:40]!r}", hint="one of " + ", ".join(known or ["kind"]))
        try:
            where[key] = known[key].read(value)
        except ValueError as error:
            raise InputError(f"the filter {key} cannot be read", hint=str(error)) from None
    if name == "records" and "kind" not in where:
        raise InputError("records are exported by kind", hint="name it: --where kind=room")
    return where


def _write(name: str, file: Path, given: list[str], at: Where) -> int:
    from monitor.adapters.sheets import FORMS
    from monitor.domain.errors import InputError

    where = _filters(name, given)
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise InputError(f"{file} is neither .csv nor .xlsx", hint="name the file so, its ending says what is written")
    work = _of_service(name, given, form, at) if at.url else _of_folder(name, where, form, at)
    with file.open("xb") as out:
        try:
            told = work(out)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    print(f"{told} in {file}")
    return 0


def _of_service(name: str, given: list[str], form: str, at: Where) -> "Callable[[IO[bytes]], str]":
    """Writes it, and says how much."""
    from urllib.parse import quote

    from monitor.cli.calling import fetch

    params = {key: value for key, _, value in (one.partition("=") for one in given)} | {"format": form}
    path = f"exports/{name}/{quote(params.pop('kind'), safe='')}" if name == "records" else f"exports/{name}"
    return lambda out: f"{fetch(at.url, at.token_file, path, out, params=params):,} bytes"


def _of_folder(name: str, where: dict[str, object], form: str, at: Where) -> "Callable[[IO[bytes]], str]":
    import asyncio

    from monitor.cli.stores import place_of
    from monitor.domain import tenants
    from monitor.settings import load

    place = place_of(at.data, at.config)
    settings, tenant = load(config=at.config).settings, tenants.checked(at.tenant)
    return lambda out: f"{asyncio.run(_exported(place, tenant, name, where, form, out, settings)):,} rows"


async def _exported(place: Path | str, tenant: str, name: str, where: dict[str, object], form: str, out: "IO[bytes]",
                    settings: "Settings") -> int:
    """How many rows were written."""
    import getpass
    from collections.abc import AsyncIterator
    from contextlib import aclosing

    from monitor.adapters.sheets import pieces
    from monitor.adapters.storage.database import Database
    from monitor.domain.ledgers import Cell
    from monitor.domain.people import Actor, Permission

    actor = Actor(id=f"cli:{getpass.getuser()}", tenant=tenant, everywhere=frozenset(Permission))
    rows = 0

    async def counted(pages: AsyncIterator[list[list[Cell]]]) -> AsyncIterator[list[list[Cell]]]:
        nonlocal rows
        async for page in pages:
            rows += len(page)
            yield page

    database = await Database.open(place)
    try:
        started = await (await _desk(database, tenant, settings)).start(actor, name, where, form=form)
        async with aclosing(pieces(form, started.headers, counted(started.pages))) as parts:
            async for piece in parts:
                out.write(piece)
    finally:
        await database.close()
    return rows


async def _desk(database: "Database", tenant: str, settings: "Settings") -> "Exporting":
    from zoneinfo import ZoneInfo

    from monitor.adapters.bundled import bundled
    from monitor.adapters.clock import SystemClock
    from monitor.adapters.recordfiles import read_folder
    from monitor.adapters.storage.ledgers import SqlLedgers
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.adapters.storage.store import SqlStore
    from monitor.adapters.telemetry import PrometheusTelemetry
    from monitor.adapters.web.hub import SseHub
    from monitor.services.exporting import Exporting
    from monitor.services.organising import Organising
    from monitor.services.review import ReviewDesk

    clock, posts, telemetry = SystemClock(), SqlPosts(database), PrometheusTelemetry()
    organising = Organising(posts, clock, read_folder(bundled("config") / "post"))
    await organising.refresh(tenant)
    return Exporting(
        store=SqlStore(database), ledgers=SqlLedgers(database), trail=posts, organising=organising, clock=clock,
        review=ReviewDesk(posts, organising, SseHub(telemetry), clock, telemetry),
        zone=ZoneInfo(settings.tenant.zone))
