"""One question to a running service, and its answer."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientError, ClientTimeout

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

    try:
        answer = asyncio.run(ask())
    except (ClientError, TimeoutError) as error:
        raise StorageError(f"{address} does not answer: {reason_of(error)}",
                           hint="is the service running? `redpost serve` starts it") from error
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{address} answers what this version does not understand",
                          hint="use the redpost of the same version as the service") from error
