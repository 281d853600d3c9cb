"""The hub between committed updates and the SSE clients: one encoding per update, a bounded history, bounded queues."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from monitor.adapters.web.types import AlertMessage, LookMessage
from monitor.domain.alerts import Alert
from monitor.domain.errors import BusyError
from monitor.services.ports import Telemetry
from monitor.services.records import Update

_encoder: Final = msgspec.json.Encoder()


PASSING: Final = 2**62
"""The number of what is told once and never again."""


class Sent(Struct, frozen=True, gc=False):
    """One update, encoded once for all clients."""

    seq: int
    alert: Alert
    data: bytes


class Wanted(Struct, frozen=True, kw_only=True):
    """What a client wants to hear of its tenant; a field that is None matches all. `sees`: what it may hear; `who` it
    is: a login, or a token's id."""

    who: str = ""
    severity: str | None = None
    category: str | None = None
    room: str | None = None
    sees: Callable[[Alert], bool] = lambda _: True

    def matches(self, alert: Alert) -> bool:
        return (
            (self.room is None or alert.room == self.room)
            and (self.severity is None or alert.severity == self.severity)
            and (self.category is None or self.category in alert.category)
            and self.sees(alert)
        )


def encode(update: Update) -> Sent:
    body = _encoder.encode(AlertMessage(update.what, update.alert))
    return Sent(update.seq, update.alert, b"id: %d\nevent: alert\ndata: %s\n\n" % (update.seq, body))


class HubLimits(Struct, frozen=True, kw_only=True):
    """Updates and bytes that are remembered for those who come back, and that may wait for one client."""

    history: int = 10_000
    history_bytes: int = 32 * 2**20
    queue: int = 1_000
    queue_bytes: int = 4 * 2**20
    clients: int = 1_000


class Subscription:
    """One client's place in the hub.

    `replay`: what it missed, as far as the hub remembers; `complete` is False where the hub does not reach back far
    enough. `start`: the last update published before this place was taken. `seen`: what lies at or below it was
    handed over otherwise and is skipped. `end`: why nothing more comes ("slow", "closed"), "" while it lasts.
    """

    def __init__(self, hub: "SseHub", tenant: str, wanted: Wanted, *, start: int) -> None:
        self._hub = hub
        self._queue: deque[Sent] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self.tenant = tenant
        self.wanted = wanted
        self.start = start
        self.seen = -1
        self.replay: list[Sent] = []
        self.complete = True
        self.end: str = ""
        self.cut: Callable[[], None] = lambda: None
        """Called when the client is too slow: frees whoever waits for it."""

    def offer(self, sent: Sent) -> bool:
        """Queue an update if it is wanted; False where the client is too slow and was cut off."""
        if self.end or not self.wanted.matches(sent.alert):
            return True
        self._queue.append(sent)
        self._size += len(sent.data)
        self._wake.set()
        limits = self._hub.limits
        if len(self._queue) <= limits.queue and self._size <= limits.queue_bytes:
            return True
        self.finish("slow")
        return False

    def finish(self, why: str) -> None:
        self.end = why
        self._queue.clear()
        self._size = 0
        self._wake.set()
        if why == "slow":
            self.cut()

    def close(self) -> None:
        self.finish("closed")

    async def take(self, *, within: float) -> list[Sent]:
        """What has come; empty after `within` seconds without any, and at the `end`."""
        if not self._queue and not self.end:
            self._wake.clear()
            try:
                async with asyncio.timeout(within):
                    await self._wake.wait()
            except TimeoutError:
                return []
        taken = [sent for sent in self._queue if sent.seq > self.seen]
        self._queue.clear()
        self._size = 0
        return taken

    def leave(self) -> None:
        self._hub.leave(self)


class SseHub:
    """Implements ports.Publisher and onlookers.Pages. Everything here runs on the event loop.

    `last`: each tenant's highest outbox number at the start; what lies above it passes through this hub.
    """

    def __init__(
        self, telemetry: Telemetry, *, limits: HubLimits | None = None, last: Mapping[str, int] | None = None
    ) -> None:
        self.limits = limits or HubLimits()
        self._telemetry = telemetry
        self._history: deque[Sent] = deque()
        self._history_bytes = 0
        self._last = dict(last or {})
        self._floor = dict(self._last)  # each tenant's updates above it are in the history
        self._clients: dict[str, set[Subscription]] = {}
        self._closed = False
        self._set_count(0)

    def begin(self, last: Mapping[str, int]) -> None:
        """Say where the outbox stands, unless something was published already."""
        if not self._history:
            self._last |= last
            self._floor |= last

    def step_back(self, tenant: str, last: int) -> None:
        """The tenant's numbers end here again: what was told of higher ones is forgotten, and whoever heard of it comes
        back and reads anew."""
        self._history = deque(sent for sent in self._history if sent.alert.tenant != tenant)
        self._history_bytes = sum(len(sent.data) for sent in self._history)
        self._last[tenant] = self._floor[tenant] = last
        for client in tuple(self._clients.get(tenant, ())):
            client.close()

    def last(self, tenant: str) -> int:
        """The highest number of the tenant's updates."""
        return self._last.get(tenant, 0)

    def listening(self) -> dict[str, frozenset[str]]:
        """Who listens, by tenant."""
        return {tenant: frozenset(client.wanted.who for client in clients) for tenant, clients in self._clients.items()}

    def publish(self, updates: Sequence[Update]) -> None:
        for update in updates:
            sent = encode(update)
            self._remember(sent)
            self._offer(sent)

    def look(self, alert: Alert, by: str) -> None:
        """Somebody has it before them: only those hear of it who listen now, and may see it."""
        body = _encoder.encode(LookMessage(alert.id, alert.moment, alert.post, by))
        self._offer(Sent(PASSING, alert, b"event: look\ndata: %s\n\n" % body))

    def _offer(self, sent: Sent) -> None:
        for client in tuple(self._clients.get(sent.alert.tenant, ())):
            if not client.offer(sent):
                self.leave(client)
                self._telemetry.count("sse_dropped_total")

    def _remember(self, sent: Sent) -> None:
        self._last[sent.alert.tenant] = sent.seq
        self._history.append(sent)
        self._history_bytes += len(sent.data)
        while len(self._history) > self.limits.history or self._history_bytes > self.limits.history_bytes:
            old = self._history.popleft()
            self._history_bytes -= len(old.data)
            self._floor[old.alert.tenant] = old.seq

    def subscribe(self, tenant: str, after: int | None, wanted: Wanted | None = None) -> Subscription:
        """A place that hears every update from here on, and what lies above `after` as far as it is remembered.

        Raises BusyError where there are too many clients.
        """
        if self._count >= self.limits.clients or self._closed:
            raise BusyError("too many clients listen", retry_after=10, hint="close other pages, or try again later")
        client = Subscription(self, tenant, wanted or Wanted(), start=self.last(tenant))
        if after is not None:
            client.seen = after
            client.complete = self._floor.get(tenant, 0) <= after <= client.start
            if client.complete:
                client.replay = [sent for sent in self._history if sent.seq > after
                                 and sent.alert.tenant == tenant and client.wanted.matches(sent.alert)]
        self._clients.setdefault(tenant, set()).add(client)
        self._set_count(self._count + 1)
        return client

    def leave(self, client: Subscription) -> None:
        clients = self._clients.get(client.tenant, set())
        if client in clients:
            clients.remove(client)
            if not clients:
                del self._clients[client.tenant]
            self._set_count(self._count - 1)

    def _set_count(self, count: int) -> None:
        self._count = count
        self._telemetry.gauge("sse_clients", count)

    def close(self) -> None:
        """End every stream; nobody can subscribe any more."""
        self._closed = True
        for clients in tuple(self._clients.values()):
            for client in tuple(clients):
                client.close()
