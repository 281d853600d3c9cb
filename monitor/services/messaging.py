"""Messages out: each is tried at its time, again after growing pauses, and given up in the end where people can see it.

At least once: a message whose sending was not noted down goes again, by the same id.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.audit import Deed
from monitor.domain.channels import Channel
from monitor.domain.errors import NotFound, RedpostError, Refused
from monitor.domain.messages import Item, Message, State, What, addressed, next_try
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Logger, Telemetry

_LONGEST_ERROR: Final = 300


class Posted(Struct, frozen=True, kw_only=True):
    """A message and how far it is. `due`: when it is tried next (UTC ms; None: not any more); `error`: of the last."""

    message: Message
    state: State
    due: int | None
    tries: int
    error: str


class PostedPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    messages: list[Posted]
    next: str | None


class Settled(Struct, frozen=True, kw_only=True):
    """What became of a try. `message`: as it was tried."""

    message: Message
    state: State
    due: int | None
    tries: int
    error: str


class Mail(Protocol):
    """Messages on their way. Raises StorageError."""

    async def put(self, given: Sequence[Message], deeds: Sequence[Deed]) -> None: ...

    async def due(self, now: int, *, each: int) -> list[Posted]:
        """Those to be tried by now (UTC ms), the longest due first, at most `each` of one channel."""
        ...

    async def settle(self, settled: Sequence[Settled]) -> None:
        """A message to which something was added meanwhile stays as it is, and goes again."""
        ...

    async def page(
        self, tenant: str, *, state: str | None, channel: str | None, cursor: str | None, limit: int
    ) -> PostedPage:
        """Raises InputError for a bad cursor."""
        ...


class Undelivered(Exception):
    """A try that failed, and why, in words that hold no secret."""


class Courier(Protocol):
    async def send(self, channel: Channel, message: Message) -> None:
        """Raises Undelivered."""
        ...


class Messenger:
    """Used from one event loop. At most `each` tries at a time for one channel, so that one that hangs holds up no
    other; `within_s`: a try that takes longer has failed."""

    def __init__(
        self, mail: Mail, organising: Organising, courier: Courier, clock: Clock, telemetry: Telemetry, logger: Logger,
        *, within_s: float = 10, each: int = 2,
    ) -> None:
        self._mail, self._organising, self._courier = mail, organising, courier
        self._clock, self._telemetry, self._logger = clock, telemetry, logger
        self._within_s, self._each = within_s, each
        self._trying: dict[str, asyncio.Task[Settled]] = {}
        self._of: dict[str, tuple[str, str]] = {}

    async def page(
        self, actor: Actor, *, state: str | None, channel: str | None, cursor: str | None, limit: int
    ) -> PostedPage:
        """Raises Refused, and InputError for a bad cursor."""
        if not (actor.may(Permission.AUDIT) or actor.may(Permission.OPERATE)):
            raise Refused("permission",
                          phrase("this takes the permission {permission} on the whole tenant",
                                 permission=phrase(Permission.AUDIT)),
                          hint="ask a lead or an auditor")
        return await self._mail.page(actor.tenant, state=state, channel=channel, cursor=cursor, limit=limit)

    async def test(self, actor: Actor, channel: str) -> Message:
        """A test message is on its way. Raises NotFound and Refused."""
        found = self._organising.of(actor.tenant).get(Channel, channel)
        above = self._organising.of(actor.tenant).above(found.unit) if found is not None else ()
        allowed = actor.may(Permission.ORGANISE, above) or actor.may(Permission.OPERATE, above)
        if found is None or not (allowed or actor.may(Permission.SEE, above)):
            raise NotFound(f"there is no channel {channel[:80]}", hint="GET /api/v1/records/channel lists them")
        if not allowed:
            raise Refused("permission",
                          phrase("this takes the permission {permission}",
                                 permission=phrase(Permission.ORGANISE)), hint="ask an operator")
        now = self._clock.now()
        (message,) = addressed(actor.tenant, "", Item(what=What.TEST, at=now), [channel], now=now)
        deed = Deed(tenant=actor.tenant, by=actor.id, at=now, what="channel.test", on=f"channel/{channel}")
        await self._mail.put([message], [deed])
        return message

    async def run(self, mine: Callable[[], bool] = lambda: True) -> None:
        """Until cancelled: what is under way is tried again after the next start. `mine`: whether it is this process
        that sends."""
        try:
            while True:
                if mine() or self._trying:
                    await self._turn(begin=mine())
                await asyncio.sleep(1)
        finally:
            for task in self._trying.values():
                task.cancel()

    async def _turn(self, *, begin: bool) -> None:
        try:
            await self.turn(begin=begin)
        except RedpostError as error:  # the disk refuses: what was sent is noted down at the next turn
            self._logger.warning("messages_not_settled", error=str(error))

    async def turn(self, *, wait: bool = False, begin: bool = True) -> None:
        """Note down what has ended, `begin` what is due; `wait` until all of it has ended."""
        await self._settle()
        for posted in await self._mail.due(self._clock.now(), each=self._each) if begin else ():
            self._begin(posted)
        if wait:
            await asyncio.gather(*self._trying.values())
            await self._settle()

    def _begin(self, posted: Posted) -> None:
        message = posted.message
        busy = Counter(self._of.values())
        key = (message.tenant, message.channel)
        if message.id in self._trying or busy[key] >= self._each:
            return
        self._of[message.id] = key
        self._trying[message.id] = asyncio.create_task(self._try(posted))

    async def _settle(self) -> None:
        ended = {name: task.result() for name, task in self._trying.items() if task.done()}
        if ended:
            await self._mail.settle(list(ended.values()))
        for name in ended:
            del self._trying[name], self._of[name]

    async def _try(self, posted: Posted) -> Settled:
        message, tries = posted.message, posted.tries + 1
        error = await self._sent(message)
        now = self._clock.now()
        due = next_try(tries, now) if error else None
        state = State.WAITING if due is not None else State.DEAD if error else State.SENT
        result = {State.WAITING: "failed", State.DEAD: "dead", State.SENT: "sent"}[state]
        self._telemetry.count("notifications_total", result=result)
        if error:
            self._logger.warning("message_failed", message=message.id, channel=message.channel, tries=tries,
                                 error=error, dead=state is State.DEAD)
        return Settled(message=message, state=state, due=due, tries=tries, error=error)

    async def _sent(self, message: Message) -> str:
        """"" where it was, else why not."""
        channel = self._organising.of(message.tenant).get(Channel, message.channel)
        if channel is None:
            return "there is no such channel any more"
        try:
            async with asyncio.timeout(self._within_s):
                await self._courier.send(channel, message)
        except TimeoutError:
            return f"no answer within {self._within_s:g} s"
        except Undelivered as error:
            return str(error)[:_LONGEST_ERROR]
        return ""
