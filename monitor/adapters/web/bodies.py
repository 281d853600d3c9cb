"""Request bodies: read with a time limit, decompressed in bounded steps, counted against one budget."""

import asyncio
import re
import zlib
from collections.abc import Iterator
from typing import Final

import zstandard
from aiohttp import web
from aiohttp.client_exceptions import ClientPayloadError
from aiohttp.http_exceptions import HttpProcessingError

from monitor.adapters.web.budget import Held
from monitor.adapters.web.errors import ClientGone, Problem

_STEP: Final = 2**20
"""Bytes that are decompressed before the loop gets its turn again."""
_TURNS: Final = 256
"""Steps, however little they yield, after which the loop gets its turn too."""
_FEED: Final = 64 * 2**10
"""Compressed gzip bytes per step."""
_SLICE: Final = 256
"""Compressed zstd bytes per step: a block is at least 4 bytes and at most 128 KiB, so this yields 8 MiB at most."""
_BLOCK: Final = 128 * 2**10
_WINDOW: Final = 8 * 2**20
"""The largest zstd window, as RFC 9659 sets it for Content-Encoding."""
_MEMBERS: Final = 1_000
"""The most gzip members or zstd frames in one body."""

GZIP: Final = "gzip"
ZSTD: Final = "zstd"
_NAMES: Final = {"": "", "identity": "", "gzip": GZIP, "x-gzip": GZIP, "zstd": ZSTD}
_ZEROS: Final = re.compile(rb"\0*")
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


async def read_body(request: web.Request, held: Held, *, wire: int, plain: int, seconds: float) -> bytes:
    """The body as sent, decompressed. `wire`, `plain`: the most bytes before and after decompression.

    Raises Problem 400, 408, 413 or 415, BusyError beyond the budget, ClientGone where the client left.
    """
    encoding = _NAMES.get(request.headers.get("Content-Encoding", "").strip().lower())
    if encoding is None:
        raise Problem(415, "unsupported_encoding", "the Content-Encoding is not supported",
                      hint="use gzip or zstd, or none", headers={"Accept-Encoding": "gzip, zstd"})
    if (request.content_length or 0) > wire:
        raise too_large(wire, "")
    try:
        async with asyncio.timeout(seconds):
            body = await _read(request, held, wire)
    except TimeoutError:
        raise Problem(408, "too_slow", f"the body did not arrive within {seconds:g} s",
                      hint="send smaller requests", headers={"Connection": "close"}) from None
    return await decompressed(body, encoding, held, plain) if encoding and body else body


async def _read(request: web.Request, held: Held, wire: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > wire:
                raise too_large(wire, "")
            held.grow(len(piece))
            pieces.append(piece)
    except (ConnectionError, ClientPayloadError, HttpProcessingError) as error:
        raise ClientGone from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def encoding_of(data: bytes) -> str:
    """The encoding of a binary WebSocket message, by its first bytes; "" for none."""
    if data[:2] == b"\x1f\x8b":
        return GZIP
    return ZSTD if data[:4] == _ZSTD_MAGIC else ""


async def decompressed(data: bytes, encoding: str, held: Held, limit: int) -> bytes:
    """`data` without its compression, of one or several members. Raises Problem 400 or 413, BusyError."""
    pieces: list[bytes] = []
    size = done = 0
    try:
        for turn, piece in enumerate(_gunzip(data) if encoding == GZIP else _unzstd(data, limit), 1):
            size += len(piece)
            if size > limit:
                raise too_large(limit, " after decompression")
            held.grow(len(piece))
            pieces.append(piece)
            if size - done >= _STEP or turn % _TURNS == 0:
                done = size
                await asyncio.sleep(0)
    except (zlib.error, zstandard.ZstdError) as error:
        raise _broken(encoding, str(error)) from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _gunzip(data: bytes) -> Iterator[bytes]:
    """Pieces of at most _STEP bytes."""
    at = 0
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        rest = b""
        while not member.eof:
            if not rest:
                rest = data[at : at + _FEED]
                at += len(rest)
            if not rest:  # the member's trailer is consumed last, so nothing is left to come out
                raise _broken(GZIP, "it ends in the middle")
            yield member.decompress(rest, _STEP)
            rest = member.unconsumed_tail
        at = _after_zeros(data, at - len(member.unused_data))
        if at == len(data):
            return
    raise _broken(GZIP, f"it has more than {_MEMBERS} members")


def _after_zeros(data: bytes, at: int) -> int:
    """Behind the zeros that gzip allows after a member."""
    found = _ZEROS.match(data, at)
    return found.end() if found else at


def _unzstd(data: bytes, limit: int) -> Iterator[bytes]:
    """Pieces of at most 8 MiB, or one block beyond `limit`: the input is cut small enough for what may still come."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    at = produced = 0
    for _ in range(_MEMBERS):
        frame = decompressor.decompressobj()
        while not frame.eof:
            if at >= len(data):
                raise _broken(ZSTD, "it ends in the middle")
            cut = min(_SLICE, 4 * max(1, (limit - produced) // _BLOCK))
            piece = frame.decompress(data[at : at + cut])
            at = min(at + cut, len(data))
            produced += len(piece)
            yield piece
        at -= len(frame.unused_data)
        if at == len(data):
            return
    raise _broken(ZSTD, f"it has more than {_MEMBERS} frames")


def too_large(limit: int, when: str) -> Problem:
    return Problem(413, "too_large", f"the body has more than {limit} bytes{when}",
                   hint="send smaller requests", details={"limit_bytes": limit})


def _broken(encoding: str, why: str) -> Problem:
    return Problem(400, "bad_body", f"the body is not valid {encoding}: {why}",
                   hint="compress the whole body as Content-Encoding says")
