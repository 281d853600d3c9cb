"""Addresses outside, of which each gives the same short recording."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

RECORDING = b"\x00\x01" * 500


class _Recording:
    status, content_type = 200, "audio/mpeg"
    headers: Mapping[str, str] = {"Content-Type": "audio/mpeg", "Content-Length": str(len(RECORDING))}

    @property
    def content(self) -> "_Recording":
        return self

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        yield RECORDING


class _Session:
    @asynccontextmanager
    async def get(self, url: str, **more: Any) -> AsyncIterator[_Recording]:
        yield _Recording()


class FakeOutside:
    """As `adapters.outside.Outside`."""

    private = True

    @asynccontextmanager
    async def session(self) -> AsyncIterator[_Session]:
        yield _Session()
