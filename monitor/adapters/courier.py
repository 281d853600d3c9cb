"""Messages out: as signed calls of webhooks, or by Apprise to WeCom, DingTalk, Feishu and mail."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import Future
from datetime import tzinfo
from threading import Thread
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import aiohttp
import msgspec

from monitor.domain.channels import MAIL, WEBHOOK, Channel, mail_hosts
from monitor.domain.errors import InputError
from monitor.domain.messages import Message, text_of, title_of
from monitor.services.messaging import Undelivered

REPLAY_S: Final = 300
"""Receivers refuse calls whose timestamp is older than this, or that they have seen by their id."""
_THREADS: Final = 32

Notify = Callable[[str, str, str], bool]
"""(address, title, body) → was it taken?"""


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Of a call at `timestamp` (UTC s): HMAC-SHA256 over the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


class Caller(Protocol):
    """As `adapters.outside.Outside`."""

    @property
    def private(self) -> bool: ...

    async def check(self, url: str) -> list[str]: ...

    def session(self) -> aiohttp.ClientSession: ...


class Couriers:
    """Implements `Courier`. `now`: UTC ms; `zone`: of times in texts. `notify`: sends by Apprise, in a thread."""

    def __init__(self, outside: Caller, now: Callable[[], int], zone: tzinfo, *, notify: Notify | None = None) -> None:
        self._outside, self._now, self._zone = outside, now, zone
        self._notify = notify or by_apprise
        self._session: aiohttp.ClientSession | None = None
        self._stuck: dict[tuple[str, str], Future[bool]] = {}

    async def send(self, channel: Channel, message: Message) -> None:
        """Raises Undelivered, whatever a notifier does: its own words may hold the address."""
        try:
            await (self._call if channel.scheme in WEBHOOK else self._by_apprise)(channel, message)
        except Undelivered:
            raise
        except Exception as error:
            raise Undelivered(f"the notifier broke: {type(error).__name__}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(self, channel: Channel, message: Message) -> None:
        body = msgspec.json.encode({
            "id": message.id, "room": message.room, "title": title_of(message), "text": text_of(message, self._zone),
            "items": message.items, "more": message.more})
        timestamp = self._now() // 1_000
        headers = {
            "Content-Type": "application/json; charset=utf-8", "User-Agent": "redpost", "X-Redpost-Id": message.id,
            "X-Redpost-Timestamp": str(timestamp),
            "X-Redpost-Signature": "sha256=" + signature(channel.secret, timestamp, body)}
        if self._session is None:
            self._session = self._outside.session()
        try:
            if urlsplit(channel.url).scheme != "https" and not self._outside.private:
                raise Undelivered("the address is not https")
            await self._outside.check(channel.url)
            async with self._session.post(channel.url, data=body, headers=headers, allow_redirects=False) as response:
                status = response.status
        except InputError as error:
            raise Undelivered(error.message) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Undelivered(f"no connection: {type(error).__name__}") from None
        if 300 <= status < 400:
            raise Undelivered(f"answered {status}: redirects are not followed")
        if not 200 <= status < 300:
            raise Undelivered(f"answered {status}")

    async def _by_apprise(self, channel: Channel, message: Message) -> None:
        """In a thread that cannot be ended: while one hangs, its channel gets no other, and no stop waits for it."""
        await self._check_mail(channel)
        key = (message.tenant, message.channel)
        self._stuck = {each: work for each, work in self._stuck.items() if not work.done()}
        if key in self._stuck:
            raise Undelivered("the try before has not ended")
        if len(self._stuck) >= _THREADS:
            raise Undelivered("too many notifiers have not ended")
        told = (channel.url, title_of(message), text_of(message, self._zone))
        self._stuck[key] = work = _aside(lambda: self._notify(*told))
        if not await asyncio.shield(asyncio.wrap_future(work)):
            raise Undelivered(f"{channel.scheme} did not take it; check its address")

    async def _check_mail(self, channel: Channel) -> None:
        """Mail is the one service whose host the address names."""
        if channel.scheme not in MAIL:
            return
        hosts = mail_hosts(channel.url)
        if hosts is None:
            raise Undelivered("the address has options that mail does not take")
        try:
            for host in hosts:
                await self._outside.check(f"https://{host}/")
        except InputError as error:
            raise Undelivered(error.message) from None


def _aside(work: Callable[[], bool]) -> Future[bool]:
    """In a thread of its own, which the end of the process does not wait for."""
    future: Future[bool] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name="notify", daemon=True).start()
    return future


def by_apprise(url: str, title: str, body: str) -> bool:
    """Raises Undelivered where Apprise is not installed, or takes the address for none."""
    try:
        import apprise
    except ImportError:
        raise Undelivered("Apprise is not installed: pip install 'redpost[notify]'") from None
    sender: Any = apprise.Apprise()
    if not sender.add(url):
        raise Undelivered("Apprise cannot read the address")
    return bool(sender.notify(title=title, body=body))
