"""A running service, as the commands that talk to it see it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, InvalidURL
from msgspec import Struct

from monitor.cli.terminal import safe, tell
from monitor.domain.errors import ConfigError, InputError, StorageError
from monitor.domain.rejections import Rejected

PATIENCE_S: Final = 300.0
"""How long a service that was there is waited for."""
FIRST_PATIENCE_S: Final = 10.0
"""How long one is waited for that never answered: the address may be wrong."""
_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 10.0
_CALL_S: Final = 60.0


class _ErrorInfo(Struct):
    message: str
    hint: str = ""
    details: dict[str, Any] = {}


class _Error(Struct):
    error: _ErrorInfo


class Accepted(Struct):
    """What became of a body; summed up over all of them."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = []
    rejected_total: int = 0


def base_of(url: str) -> str:
    """The address without a slash at its end. Raises InputError for none."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"{url[:80]!r} is no address of a service", hint="write it as http://127.0.0.1:8321")
    return url.rstrip("/")


@asynccontextmanager
async def session_for(token_file: Path | None) -> AsyncIterator[ClientSession]:
    headers = {} if token_file is None else {"Authorization": f"Bearer {_token(token_file)}"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(total=None, connect=_CALL_S)) as session:
        yield session


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}", hint="check --token-file") from error
    if not token or not token.isprintable() or " " in token:
        raise ConfigError(f"the token file {path} holds no token", hint="`redpost token new` makes one")
    return token


async def refusal(response: ClientResponse, url: str) -> ConfigError:
    """Why the service refused, in its own words."""
    body = await response.read()
    try:
        told = msgspec.json.decode(body, type=_Error).error
    except (msgspec.MsgspecError, UnicodeError):
        return ConfigError(f"{url} answers {response.status} {response.reason}", hint="is this a redpost service?")
    return ConfigError(f"{url} answers {response.status}: {told.message}",
                       hint=told.hint + ("; name it with --token-file" if response.status == 401 else ""))


def reason_of(error: ClientError | TimeoutError) -> str:
    """Why nothing answered, in a few words."""
    if isinstance(error, ClientConnectorError):
        cause = error.os_error
        return os.strerror(cause.errno) if cause.errno and cause.errno > 0 else cause.strerror or str(cause)
    return str(error) or type(error).__name__


class Backoff:
    """Pauses that grow while something is down; `pause` raises StorageError when patience is over."""

    def __init__(
        self, url: str, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, *,
        first_s: float = FIRST_PATIENCE_S, later_s: float = PATIENCE_S,
    ) -> None:
        self._url = url
        self._now = now
        self._sleep = sleep
        self._patience_s = first_s
        self._later_s = later_s
        self._since: float | None = None
        self._pause_s = _PAUSE_S

    def well(self) -> None:
        """It answered."""
        if self._since is not None:
            tell(f"{self._url} answers again", style="dim")
        self._since, self._pause_s, self._patience_s = None, _PAUSE_S, self._later_s

    async def pause(self, why: str) -> None:
        if self._since is None:
            self._since = self._now()
            tell(safe(f"{self._url} does not answer ({why}); trying again"), style="yellow")
        left = self._since + self._patience_s - self._now()
        if left <= 0:
            raise StorageError(f"{self._url} has not answered for {self._patience_s:.0f} s: {why}",
                               hint="is the service running? `redpost serve` starts it")
        await self._sleep(min(self._pause_s, left))
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


class Sender:
    """Sends bodies until they are taken: waits where told to, tries again where nothing answers.

    A body is sent again as it was, so that what had been taken already counts as duplicate.
    """

    def __init__(self, session: ClientSession, base: str, backoff: Backoff) -> None:
        self.total = Accepted()
        self._session = session
        self._url = f"{base}/api/v1/events"
        self._backoff = backoff

    async def send(self, lines: list[bytes]) -> Accepted:
        """What became of the events. Raises ConfigError where the service refuses for good, StorageError."""
        body = b"\n".join(lines)
        while True:
            try:
                answer = await self._once(body)
            except InvalidURL as error:
                raise InputError(f"{self._url} is no address", hint="write it as http://127.0.0.1:8321") from error
            except (ClientError, TimeoutError) as error:
                await self._backoff.pause(reason_of(error))
                continue
            if isinstance(answer, Accepted):
                self._backoff.well()
                self._add(answer)
                return answer
            await asyncio.sleep(answer)

    async def _once(self, body: bytes) -> Accepted | float:
        """The answer, or how many seconds to wait before sending again."""
        headers = {"Content-Type": "application/x-ndjson"}
        async with asyncio.timeout(_CALL_S), self._session.post(self._url, data=body, headers=headers) as response:
            if response.status == 200:
                return msgspec.json.decode(await response.read(), type=Accepted)
            if response.status == 429 and "Retry-After" in response.headers:
                return _seconds(response.headers["Retry-After"])
            if response.status >= 500 or response.status in (408, 429):
                raise ClientError(f"{response.status} {response.reason}")
            if response.status == 400:
                refused = _unreadable(await response.read())
                if refused is not None:
                    return refused
            raise await refusal(response, self._url)

    def _add(self, answer: Accepted) -> None:
        total = self.total
        total.accepted += answer.accepted
        total.duplicates += answer.duplicates
        total.rejected_total += answer.rejected_total


def _seconds(text: str) -> float:
    """Of a Retry-After header; an HTTP date counts as one second."""
    return min(max(float(text), 0.1), 60.0) if text.isascii() and text.isdigit() else 1.0


def _unreadable(body: bytes) -> Accepted | None:
    """A body of which nothing was accepted, as an answer; None where that is not what was wrong."""
    try:
        return msgspec.convert(msgspec.json.decode(body, type=_Error).error.details, Accepted)
    except (msgspec.MsgspecError, UnicodeError):
        return None
