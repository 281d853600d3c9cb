"""What several processes of one service agree on, by their store: whose turn it is to mind the clocks, which rule set
all partitions are to be judged by, that all hide viewers behind the same key, and how far WebSocket sessions are."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.errors import ConfigError, RedpostError, StorageError
from monitor.domain.frames import Swap
from monitor.services.ports import Clock, Logger

TURN_MS: Final = 10_000
"""A process that does not renew its turn for so long has lost it."""
_RENEW_S: Final = 2
_REPEAT_MS: Final = 300_000
_WAIT_S: Final = 15
_PERSON: Final = b"redpost-print"


class Serving(Struct, frozen=True):
    """`version`: what is to judge. `told`: all partitions have been told."""

    number: int
    version: str
    told: bool


class Nodes(Protocol):
    """Raises StorageError. Times UTC ms."""

    async def take_turn(self, name: str, holder: str, now: int, until: int) -> bool:
        """Whether it is `holder`'s turn, from now until then; it is not while another one's lasts."""
        ...

    async def leave_turn(self, name: str, holder: str) -> None: ...

    async def serving(self) -> Serving | None: ...

    async def serve(self, version: str, *, unless_any: bool = False) -> Serving:
        """From now on this is to judge; the one that stands where it is the same or, with `unless_any`, any."""
        ...

    async def told(self, number: int) -> None: ...

    async def key_print(self, tenant: str, given: str) -> str:
        """The one that is kept of the tenant's key; `given` where none was."""
        ...

    async def note_sockets(self, numbers: Mapping[tuple[str, str], int], now: int) -> None: ...

    async def socket(self, tenant: str, session: str) -> int: ...

    async def forget_sockets(self, before: int) -> None: ...


class Turn:
    """Takes its turn, renews it, and gives it back. Whoever must be the only one looks at `mine`."""

    def __init__(self, nodes: Nodes, clock: Clock, logger: Logger, *, name: str, holder: str) -> None:
        self._nodes, self._clock, self._logger = nodes, clock, logger
        self._name, self._holder = name, holder
        self._until = 0

    @property
    def mine(self) -> bool:
        return self._clock.now() < self._until

    async def renew(self) -> None:
        """Raises StorageError."""
        had, now = self.mine, self._clock.now()
        taken = await self._nodes.take_turn(self._name, self._holder, now, now + TURN_MS)
        self._until = now + TURN_MS if taken else 0
        if taken != had:
            self._logger.info("turn_taken" if taken else "turn_lost", turn=self._name)

    async def run(self) -> None:
        """Until cancelled; then the turn is free for others."""
        try:
            while True:
                with suppress(StorageError):
                    await self.renew()
                await asyncio.sleep(_RENEW_S)
        finally:
            self._until = 0
            with suppress(StorageError):
                await self._nodes.leave_turn(self._name, self._holder)


class Announcing:
    """Tells all partitions which rule set judges from there on. Whoever has the turn does, so that all hear of several
    in the same order; others wait for it. What is told is told again from time to time, which changes nothing where it
    was heard."""

    def __init__(
        self, nodes: Nodes, turn: Turn, tell: Callable[[Swap], Awaitable[None]], clock: Clock,
        adopt: Callable[[str], Awaitable[None]],
    ) -> None:
        """`tell` writes into every partition; `adopt` makes a version what this process shows and tries by."""
        self._nodes, self._turn, self._tell, self._clock, self._adopt = nodes, turn, tell, clock, adopt
        self._again_at = 0
        self._wake = asyncio.Event()

    async def announce(self, version: str) -> None:
        """Returns once all partitions have been told. Raises StorageError where nobody does."""
        wanted = await self._nodes.serve(version)
        self._wake.set()
        for _ in range(_WAIT_S * 10):
            now = await self._nodes.serving()
            if now is not None and (now.number > wanted.number or now.told):
                return
            await asyncio.sleep(0.1)
        raise StorageError("no web node tells the partitions of the new rules",
                           hint="check that the brokers answer; it goes on as soon as they do")

    async def look(self) -> None:
        """Tell what has not been told, where it is this process's turn; adopt what serves. Raises RedpostError."""
        serving = await self._nodes.serving()
        if serving is None:
            return
        if self._turn.mine and (not serving.told or self._clock.now() >= self._again_at):
            await self._tell(Swap(self._clock.now(), serving.version))
            self._again_at = self._clock.now() + _REPEAT_MS
            await self._nodes.told(serving.number)
        await self._adopt(serving.version)

    async def run(self, logger: Logger) -> None:
        while True:
            try:
                await self.look()
            except RedpostError as error:  # tried again at the next turn
                logger.warning("rules_not_announced", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 1)
            self._wake.clear()


def key_print(key: bytes) -> str:
    """By which two keys are told apart, and from which none can be found."""
    return blake2b(b"redpost", digest_size=16, key=key, person=_PERSON).hexdigest()


def derived(key: bytes, what: str) -> bytes:
    """Another secret that all processes have, from which the key cannot be found. `what` for, in up to 16 letters."""
    return blake2b(digest_size=32, key=key, person=what.encode()).digest()


async def check_keys(nodes: Nodes, tenants: Iterable[str], key_of: Callable[[str], bytes]) -> None:
    """Raises ConfigError where another node hides the viewers of a tenant behind another key."""
    for tenant in sorted(tenants):
        own = key_print(key_of(tenant))
        if await nodes.key_print(tenant, own) != own:
            raise ConfigError(
                f"the pseudonym key of {tenant} is not the one that other nodes use",
                hint="give every node the same file (pseudonym.key_file): another key gives viewers other pseudonyms")


class SocketNumbers:
    """How far WebSocket sessions are, in the store; those that come while one write runs go together with the next."""

    def __init__(self, nodes: Nodes, clock: Clock) -> None:
        self._nodes, self._clock = nodes, clock
        self._waiting: dict[tuple[str, str], int] = {}
        self._next: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def note(self, tenant: str, session: str, seq: int) -> None:
        """Returns once it is kept. Raises StorageError."""
        key = (tenant, session)
        self._waiting[key] = max(seq, self._waiting.get(key, 0))
        if self._next is None:
            self._next = asyncio.create_task(self._write())
        await asyncio.shield(self._next)

    async def of(self, tenant: str, session: str) -> int:
        return await self._nodes.socket(tenant, session)

    async def _write(self) -> None:
        async with self._writing:
            numbers, self._waiting, self._next = self._waiting, {}, None
            await self._nodes.note_sockets(numbers, self._clock.now())
