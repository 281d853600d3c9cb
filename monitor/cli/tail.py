"""redpost tail"""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from monitor.cli.options import LOCAL, TokenFile, Url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from monitor.cli.http import Backoff
    from monitor.cli.sse import Message, Reader
    from monitor.cli.tail_views import View

_SILENCE_S = 60
"""A stream that is silent for so long is dead: the service says something every 15 seconds."""

SeverityName = Literal["info", "low", "medium", "high", "critical"]


def tail(
    *,
    url: Url = LOCAL,
    severity: Annotated[list[SeverityName] | None, Parameter(help="Only these; may be given several times.")] = None,
    room: Annotated[str, Parameter(help="Only this room.")] = "",
    json: Annotated[bool, Parameter(help="One JSON object a line, as the service sends them.")] = False,
    token_file: TokenFile = None,
) -> int:
    """Show the alerts of a running service as they come: a live table on a terminal, lines elsewhere.

    After a drop it reconnects and goes on where it was. Ctrl+C ends it.

    ```
    redpost tail
    redpost tail --severity high --severity critical --room 1024
    redpost tail --url https://post.example --token-file my.token --json
    ```
    """
    import asyncio

    from monitor.cli.tail_views import view_for

    with view_for(json=json) as view:
        asyncio.run(_follow(url, frozenset(severity or ()), room, token_file, view))
    return 0


async def _follow(
    url: str, severities: frozenset[str], room: str, token_file: TokenFile, view: "View"
) -> None:
    """Until it is interrupted. Raises ConfigError where the service refuses, StorageError where it stays away."""
    import asyncio

    from aiohttp import ClientError

    from monitor.cli.http import Backoff, base_of, reason_of, session_for
    from monitor.cli.sse import Reader

    base = base_of(url)
    query = {"room": room} if room else {}
    if len(severities) == 1:
        query["severity"] = min(severities)
    backoff = Backoff(base, asyncio.get_running_loop().time)
    reader = Reader()
    async with session_for(token_file) as session:
        while True:
            try:
                async for message in _messages(session, f"{base}/api/v1/alerts/stream", query, reader, backoff):
                    view.hear(message, severities)
                why = "the stream ended"
            except (ClientError, TimeoutError) as error:
                why = reason_of(error)
            await backoff.pause(why)


async def _messages(
    session: "ClientSession", address: str, query: dict[str, str], reader: "Reader", backoff: "Backoff"
) -> "AsyncIterator[Message]":
    """The messages of one connection, from where the last one ended."""
    from aiohttp import ClientError, ClientTimeout

    from monitor.cli.http import refusal

    headers = {"Accept": "text/event-stream"}
    if reader.last_id:
        headers["Last-Event-ID"] = reader.last_id
    silence = ClientTimeout(total=None, sock_read=_SILENCE_S)
    async with session.get(address, params=query, headers=headers, timeout=silence) as response:
        if response.status == 429 or response.status >= 500:
            raise ClientError(f"{response.status} {response.reason}")
        if response.status != 200:
            raise await refusal(response, address)
        backoff.well()
        reader.begin()
        async for data in response.content.iter_any():
            for message in reader.feed(data):
                yield message
