"""One question to a running service, and its answer."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec
from aiohttp import ClientError, ClientPayloadError, ClientTimeout

from monitor.cli.http import base_of, reason_of, refusal, session_for
from monitor.domain.errors import ConfigError, StorageError

T = TypeVar("T")
_CALL_S = 60


def call(
    url: str, token_file: Path | None, method: str, path: str, kind: type[T], *,
    params: Mapping[str, str | int | None] | None = None, body: Any = None,
) -> T:
    """The answer as `kind`; parameters that are None are left out. Raises ConfigError where the service refuses, in its
    own words, and StorageError where it does not answer."""
    address = f"{base_of(url)}/api/v1/{path}"
    query = {name: str(value) for name, value in (params or {}).items() if value is not None}
    data = None if body is None else msgspec.json.encode(body)

    async def ask() -> bytes:
        timeout = ClientTimeout(total=_CALL_S)
        async with session_for(token_file) as session, session.request(
                method, address, params=query, data=data, timeout=timeout) as response:
            if response.status >= 300:
                raise await refusal(response, address)
            return await response.read()

    answer = _answered(address, ask())
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{address} answers what this version does not understand",
                          hint="use the redpost of the same version as the service") from error


def fetch(url: str, token_file: Path | None, path: str, out: IO[bytes], *, params: Mapping[str, str]) -> int:
    """Write the answer to `out` as it comes; its bytes. Raises as `call` does, and StorageError where it breaks off."""
    address = f"{base_of(url)}/api/v1/{path}"

    async def ask() -> int:
        size = 0
        timeout = ClientTimeout(total=None, sock_read=_CALL_S)
        async with session_for(token_file) as session, session.get(
                address, params=params, timeout=timeout) as response:
            if response.status >= 300:
                raise await refusal(response, address)
            async for piece in response.content.iter_any():
                size += out.write(piece)
        return size

    return _answered(address, ask())


def _answered(address: str, asking: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(asking)
    except ClientPayloadError as error:
        raise StorageError(f"the answer of {address} broke off", hint="try again; its log says why") from error
    except (ClientError, TimeoutError) as error:
        raise StorageError(f"{address} does not answer: {reason_of(error)}",
                           hint="is the service running? `redpost serve` starts it") from error
