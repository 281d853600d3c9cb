"""GET /exports/…: any list with its filters, as a file for a spreadsheet."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from monitor.adapters.sheets import CSV, FORMS, pieces
from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import ClientGone
from monitor.adapters.web.handling import QUERY, STARTED
from monitor.adapters.web.labels import LABEL_PARAMS
from monitor.adapters.web.params import Param, choice, text, time
from monitor.adapters.web.reading import ALERT_PARAMS
from monitor.adapters.web.review import QUEUE_PARAMS
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.domain.errors import BusyError

_FORM: Final = choice("format", "csv (UTF-8 with a mark at its begin, for Excel) or xlsx. Default: csv.", FORMS)
_SINCE: Final = time("since", "At or after this time.")
_UNTIL: Final = time("until", "Before this time.")
_UNIT: Final = text("unit", "Only rooms of this unit and of those below it.", longest=128)
_MOST: Final = 2
"""Exports of one tenant at a time."""


def _filters(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """An export has no pages."""
    return (*(param for param in params if param.name not in ("limit", "cursor")), _FORM)


LEDGER_PARAMS: Final = (_SINCE, _UNTIL, _UNIT, _FORM)
EXPORTS: Final[dict[str, tuple[Param, ...]]] = {
    "alerts": _filters(ALERT_PARAMS), "queue": _filters(QUEUE_PARAMS), "labels": _filters(LABEL_PARAMS),
    "audit": (text("on", "Only what was done to this."), _SINCE, _UNTIL, _FORM), "records": (_FORM,),
    "corrections": LEDGER_PARAMS, "comments": LEDGER_PARAMS,
}
"""What can be exported, with its filters."""


class Turns:
    """A few exports at a time for each tenant."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._running: dict[str, int] = {}

    @contextmanager
    def taken(self, tenant: str) -> Iterator[None]:
        """Raises BusyError."""
        running = self._running.get(tenant, 0)
        if running >= self._most:
            raise BusyError(f"{running} exports of this tenant run already", retry_after=10, hint="wait for them")
        self._running[tenant] = running + 1
        try:
            yield
        finally:
            self._running[tenant] -= 1
            if not self._running[tenant]:
                del self._running[tenant]


TURNS: Final = web.AppKey("turns", Turns)


async def get_export(request: web.Request) -> web.StreamResponse:
    """What fails before the first piece is answered as an error; later the connection is cut, so that nobody takes a
    part for the whole."""
    name = request.path.removeprefix("/api/v1/exports/").partition("/")[0]
    where = request[QUERY] | dict(request.match_info)
    form = where.pop("format") or CSV
    services, actor = request.app[SERVICES], request[PRINCIPAL].actor
    with request.app[TURNS].taken(actor.tenant):
        export = await services.exporting.start(actor, name, where, form=form)
        day = datetime.fromtimestamp(services.clock.now() / 1000, UTC).strftime("%Y%m%d")
        file = f"{export.name.replace('/', '-')}-{day}.{form}"
        async with aclosing(pieces(form, export.headers, export.pages)) as out:
            return await _sent(request, out, FORMS[form], file)


async def _sent(request: web.Request, out: AsyncIterator[bytes], media: str, file: str) -> web.StreamResponse:
    first = await anext(out)
    response = web.StreamResponse(headers={
        "Content-Type": f"{media}; charset=utf-8" if media == FORMS[CSV] else media,
        "Content-Disposition": f'attachment; filename="{file}"'})
    await response.prepare(request)
    request[STARTED] = response
    try:
        await _write(request, response, first)
        async for piece in out:
            await _write(request, response, piece)
    except BaseException:
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


async def _write(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    """Raises ClientGone where the client takes it too slowly, or left."""
    settings = request.app[SETTINGS]
    for first in range(0, len(piece), settings.slowest_reader):
        try:
            async with asyncio.timeout(settings.write_timeout_s):
                await response.write(piece[first : first + settings.slowest_reader])
        except (TimeoutError, ConnectionError):
            raise ClientGone from None
