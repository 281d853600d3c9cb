"""For those who run the service: reload, metrics, health."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.services import SERVICES, Exposition
from monitor.domain.audit import Deed
from monitor.services.ports import Clock

_FRESH_MS: Final = 1_000


class Rendering:
    """The metrics as they were rendered last, for a second: it takes some 15 ms, in which nobody else is answered."""

    def __init__(self, telemetry: Exposition, clock: Clock) -> None:
        self._telemetry, self._clock = telemetry, clock
        self._at = -_FRESH_MS
        self._rendered = b"", ""

    def latest(self) -> tuple[bytes, str]:
        """The exposition and its content type."""
        now = self._clock.now()
        if not 0 <= now - self._at < _FRESH_MS:
            self._rendered, self._at = self._telemetry.render(), now
        return self._rendered


RENDERING: Final = web.AppKey("rendering", Rendering)


async def reload_rules(request: web.Request) -> web.Response:
    """Load the rules anew. Where they have faults, all are listed and the old ones stay in use."""
    services, actor = request.app[SERVICES], request[PRINCIPAL].actor
    result = await services.reload()
    await services.trail.write([Deed(tenant=actor.tenant, by=actor.id, at=services.clock.now(), what="rules.reload",
                                     on=result.version, facts={"previous": result.previous})])
    return json_answer(result)


async def metrics(request: web.Request) -> web.Response:
    body, content_type = request.app[RENDERING].latest()
    return web.Response(body=body, headers={"Content-Type": content_type})


async def healthz(request: web.Request) -> web.Response:
    """Whether the process should be left alone (200) or restarted (503)."""
    alive = request.app[SERVICES].alive()
    return web.Response(text="ok\n" if alive else "not alive\n", status=200 if alive else 503)


async def readyz(request: web.Request) -> web.Response:
    """Whether requests should be sent here; the reasons where not, one a line."""
    reasons = request.app[SERVICES].health()
    return web.Response(text="".join(f"{reason}\n" for reason in reasons or ["ok"]), status=503 if reasons else 200)
