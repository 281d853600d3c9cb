"""Where a worker or a bridge answers for itself."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from aiohttp import web

from monitor.adapters.web.auth import Tokens
from monitor.adapters.web.probes import probes
from monitor.adapters.web.services import Exposition
from monitor.bootstrap.checks import cannot_listen, is_open
from monitor.settings import Settings


async def listen(
    settings: Settings, telemetry: Exposition, tokens: Tokens, stack: AsyncExitStack, *, alive: Callable[[], bool],
    unready: Callable[[], Sequence[str]],
) -> str:
    """Bind what answers /metrics, /healthz and /readyz, until `stack` closes; the address. Beyond loopback metrics need
    a token. Raises ConfigError."""
    app = probes(telemetry, tokens, loopback=is_open(settings), alive=alive, unready=unready)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.http.host, settings.http.port)
    try:
        await site.start()
    except OSError as error:
        raise cannot_listen(settings, error) from error
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
