"""Calls to addresses outside: no name leads into the operator's own network unless that is allowed."""

import asyncio
import socket
from typing import Final

from aiohttp import AddrInfoType, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.domain import addresses
from monitor.domain.errors import InputError
from monitor.domain.phrases import phrase

_CONNECT_S: Final = 5
_SILENT_S: Final = 20
"""Seconds without a byte after which a call ends."""


class Outside:
    """`private`: addresses of the own network are allowed, too."""

    def __init__(self, *, private: bool = False) -> None:
        self.private = private

    async def check(self, url: str) -> list[str]:
        """The IP addresses that a call would reach. Raises InputError where it may not be called, or leads nowhere."""
        parts = addresses.checked(url, private=self.private)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return [found["host"] for found in await _Resolver(self.private).resolve(parts.hostname or "", port)]

    def session(self) -> ClientSession:
        """Checks each address as it connects, so that a name which changes its mind between check and call, or which
        another reader takes for an address, gains nothing. No proxy, no cookies; for callers that check the address
        and follow no redirects."""
        connector = TCPConnector(resolver=_Resolver(self.private), limit=64, limit_per_host=16, use_dns_cache=False,
                                 socket_factory=self._socket)
        return ClientSession(
            connector=connector, cookie_jar=DummyCookieJar(), trust_env=False, auto_decompress=False,
            timeout=ClientTimeout(total=None, connect=_CONNECT_S, sock_connect=_CONNECT_S, sock_read=_SILENT_S))

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """Names were looked at when they were resolved; addresses that stand in a URL come here unresolved."""
        kind, type_, protocol, _, address = info
        addresses.allowed(str(address[0]), [str(address[0])], private=self.private)
        return socket.socket(kind, type_, protocol)


class _Resolver(AbstractResolver):
    def __init__(self, private: bool) -> None:
        self._private = private

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
                      ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        except OSError as error:
            raise InputError(phrase("{host} leads nowhere: {why}", host=host[:80], why=error.strerror),
                             hint="check the address") from None
        by_address = {str(address[0]): (kind, protocol) for kind, _, protocol, _, address in found}
        return [ResolveResult(hostname=host, host=address, port=port, family=by_address[address][0],
                              proto=by_address[address][1], flags=socket.AI_NUMERICHOST)
                for address in addresses.allowed(host, by_address, private=self._private)]

    async def close(self) -> None:
        """Nothing is held."""
