"""What a worker answers by HTTP: its metrics, and whether it is well."""

from collections.abc import Callable, Sequence

from aiohttp import web

from monitor.adapters.web.auth import TOKENS, Tokens, admit
from monitor.adapters.web.errors import Problem
from monitor.adapters.web.services import Exposition


def probes(
    telemetry: Exposition, tokens: Tokens, *, loopback: bool, alive: Callable[[], bool],
    unready: Callable[[], Sequence[str]],
) -> web.Application:
    """`loopback`: only this machine reaches it, and needs no token. `unready`: why no work should be expected of it
    now."""

    async def metrics(request: web.Request) -> web.Response:
        try:
            await admit(request, "metrics", loopback=loopback)
        except Problem as refused:
            return web.Response(text=f"{refused.message}: {refused.hint}\n", status=refused.status,
                                headers=refused.headers)
        body, content_type = telemetry.render()
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthz(request: web.Request) -> web.Response:
        well = alive()
        return web.Response(text="ok\n" if well else "not alive\n", status=200 if well else 503)

    async def readyz(request: web.Request) -> web.Response:
        reasons = unready()
        return web.Response(text="".join(f"{why}\n" for why in reasons or ["ok"]), status=503 if reasons else 200)

    app = web.Application()
    app[TOKENS] = tokens
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app
