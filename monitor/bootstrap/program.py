"""`redpost serve`, `web`, `worker` and `bridge`: from settings to an exit status."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Protocol

from monitor.adapters.clock import SteadyClock
from monitor.adapters.logs import LoopErrors, configure
from monitor.adapters.process import collect_rarely, spare_memory
from monitor.bootstrap.front import Front
from monitor.bootstrap.service import Service
from monitor.domain.errors import OwnershipLost, RedpostError
from monitor.services.ports import Logger
from monitor.settings import Settings

if TYPE_CHECKING:
    from monitor.bootstrap.webnode import WebNode

EXIT_FATAL: Final = 70
EXIT_OWNERSHIP: Final = 75
_PATIENCE_S: Final = 2
"""How long a start may take before it says what it does."""
_SWITCH_S: Final = 0.0005
"""How long a thread may hold the interpreter: the loop answers while the engine works (measured: stalls halve)."""


async def _serve(service: "Service | WebNode", logger: Logger) -> int:
    _mind(service, logger).add_signal_handler(signal.SIGHUP, service.reload_wanted.set)
    address = await _started(service)
    _say(_greeting(address, service))
    try:
        judged = await service.run()
    except Exception as error:
        _fatal(error, logger)
    if not judged:  # its thread cannot be stopped, but nothing waits for it: what was acknowledged is in the log
        logger.warning("stopped_while_judging", hint="the next start judges it again")
        _end(0)
    await service.close()
    return 0


def _mind(made: "Front | Quiet", logger: Logger) -> asyncio.AbstractEventLoop:
    """Signals to stop, and errors that nobody waits for."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(LoopErrors(logger, made.clock))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, made.stopping.set)
    return loop


async def _started(service: "Service | WebNode") -> str:
    """The address, once it listens. A stop does not wait for a start: nothing was acknowledged yet."""
    patience = asyncio.get_running_loop().call_later(
        _PATIENCE_S, _tell, "redpost reads and compiles its rules, which takes some seconds …")

    async def start() -> str:
        await service.open()
        return await service.listen()

    starting, stopping = asyncio.create_task(start()), asyncio.create_task(service.stopping.wait())
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done() and service.fatal is None:
            _end(0)
        return await starting
    except BaseException:
        await service.close()
        raise
    finally:
        stopping.cancel()
        patience.cancel()


def _say(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _tell(line: str) -> None:
    """To whoever watches; programs read the address from standard output, and wait for it."""
    if sys.stderr.isatty():
        sys.stderr.write(line + "\n")


def _greeting(address: str, service: Front) -> list[str]:
    lines = [f"redpost listens on {address}"]
    if service.demo:
        lines += [f"  the queue      {address}/queue", "  or             redpost tail" + _url_option(service, address),
                  "  four demo rooms talk in a loop; the first alerts come within seconds · Ctrl+C stops"]
    return [*lines, *_rooms(address, service), *_invitations(address, service)]


def _rooms(address: str, service: Front) -> list[str]:
    links = service.room_links
    if not links:
        return []
    width = max(map(len, links))
    return ["  what rooms are told, and answer, for a day:",
            *(f"  {room:{width}}   {address}/cue/{secret}" for room, secret in links.items())]


def _invitations(address: str, service: Front) -> list[str]:
    """One-time links: nobody has a password before they have set it."""
    links = service.persons.links
    if not links:
        return []
    width = max(len(link.login) for link in links)
    within = service.persons.people.times.setup_ms // 60_000
    return [f"  set a password and sign in for the first time, within {within} min:",
            *(f"  {link.login:{width}}   {address}/invitations/{link.secret}" for link in links)]


def _url_option(service: Front, address: str) -> str:
    return "" if service.settings.http.port == 8321 else f" --url {address}"


def serve(settings: Settings, *, demo: bool = False) -> int:
    """Run the service until a signal; the exit status.

    Raises RedpostError for what keeps it from starting. An error while it runs ends the process: 70, or 75 where
    another process took a lane over.
    """
    return _process(settings, lambda logger: _serve(Service(settings, demo=demo, logger=logger), logger))


def serve_node(settings: Settings) -> int:
    """Run a web node until a signal; the exit status, as of `serve`."""
    from monitor.bootstrap.webnode import WebNode  # it needs the parts of the extra `kafka`

    return _process(settings, lambda logger: _serve(WebNode(settings, demo=False, logger=logger), logger))


def _process(settings: Settings, run: Callable[[Logger], Awaitable[int]]) -> int:
    logger = configure(level=settings.telemetry.log_level, form=settings.telemetry.log_format)
    spare_memory()
    sys.setswitchinterval(_SWITCH_S)
    collect_rarely()

    async def main() -> int:
        return await run(logger)

    return asyncio.run(main())


class Quiet(Protocol):
    """A process that answers nobody but who looks whether it is well."""

    name: str
    clock: SteadyClock
    stopping: asyncio.Event

    async def open(self) -> None: ...

    async def listen(self) -> str: ...

    async def run(self) -> None: ...

    async def close(self) -> None: ...


async def _run(made: Quiet, logger: Logger) -> int:
    _mind(made, logger)
    try:
        await made.open()
        address = await made.listen()
    except BaseException:
        await made.close()
        raise
    _say([f"redpost {made.name} answers on {address}"])
    try:
        await made.run()
    except Exception as error:
        _fatal(error, logger)
    await made.close()
    return 0


def work(settings: Settings) -> int:
    """Judge partitions of the log on Kafka until a signal; the exit status, as of `serve`."""
    from monitor.bootstrap.worker import Worker  # it needs the parts of the extra `kafka`

    return _process(settings, lambda logger: _run(Worker(settings, logger=logger), logger))


def bridge(settings: Settings) -> int:
    """Bring what third parties write to Kafka into the log until a signal; the exit status, as of `serve`."""
    from monitor.bootstrap.bridging import Bridge  # it needs the parts of the extra `kafka`

    return _process(settings, lambda logger: _run(Bridge(settings, logger=logger), logger))


def _fatal(error: Exception, logger: Logger) -> None:
    """The process ends at once: a supervisor starts it again, and the log has everything."""
    expected = isinstance(error, RedpostError)
    logger.error("stopped", error=str(error) if expected else repr(error), exc_info=None if expected else error)
    _end(EXIT_OWNERSHIP if isinstance(error, OwnershipLost) else EXIT_FATAL)


def _end(status: int) -> None:
    """At once: threads that hang must not keep a process alive that no longer judges."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
