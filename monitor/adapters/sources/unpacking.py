"""Compressed files as plain ones: by magic bytes, with bounded memory and a bound on how far they expand."""

import gzip
import zlib
from typing import BinaryIO, Final, cast

import zstandard

from monitor.adapters.sources.model import CHUNK, ByteStream
from monitor.domain.errors import InputError

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"

MOST_EXPANSION: Final = 500
"""How many times its size a file may expand to: chat repeats itself up to about 100 times, bombs 1,000 and more."""

FREE: Final = 16 * 1024 * 1024
"""Bytes of text before the expansion is judged."""

MOST_WINDOW: Final = 2**27
"""The longest zstd window, in bytes: what the zstd command itself takes without being told."""

_SLICE: Final = 256  # of zstd input a step: a block of 4 bytes may expand to 128 KiB, so a step gives 8 MiB at most


class Peeked:
    """A stream whose beginning can be looked at; `taken` counts the bytes read from below."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._ahead = b""
        self.taken = 0

    def _below(self, size: int) -> bytes:
        data = self._stream.read(size) or b""
        self.taken += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end of the stream."""
        while len(self._ahead) < size and self.grow():
            pass
        return self._ahead[:size]

    def grow(self) -> bool:
        """Read once more, and keep it; False at the end of the stream."""
        data = self._below(CHUNK)
        self._ahead += data
        return bool(data)

    @property
    def ahead(self) -> bytes:
        """What was read and not yet taken."""
        return self._ahead

    def read(self, size: int = -1, /) -> bytes:
        if not self._ahead:
            return self._below(size)
        if size < 0:
            size = len(self._ahead)
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data


class Unpacked:
    """The contents of a gzip or zstd stream. `fault` says afterwards why it ended early, if it did."""

    def __init__(self, packed: Peeked, inner: ByteStream) -> None:
        self._packed = packed
        self._inner = inner
        self._given = 0
        self.fault = ""

    def read(self, size: int, /) -> bytes:
        if self.fault:
            return b""
        try:
            data = self._inner.read(size)
        except EOFError:
            self.fault = f"the compressed data ends early, after {self._given} bytes of text"
            return b""
        except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            self.fault = f"the compressed data is damaged after {self._given} bytes of text ({error})"
            return b""
        self._given += len(data)
        if self._given > FREE and self._given > MOST_EXPANSION * self._packed.taken:
            raise InputError(
                f"the compressed file expands more than {MOST_EXPANSION} times, which no chat or transcript does",
                hint="look at what is in it; unpacked, it is read at any length",
            )
        return data


class _Gzip:
    def __init__(self, packed: ByteStream) -> None:
        self._file = gzip.GzipFile(fileobj=cast(BinaryIO, packed), mode="rb")  # it only reads

    def read(self, size: int, /) -> bytes:
        return self._file.read1(size)


class _Zstd:
    """Frame by frame, so that a frame without its end is noticed."""

    def __init__(self, packed: ByteStream) -> None:
        self._packed = packed
        self._frames = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW)
        self._frame = self._frames.decompressobj()
        self._begun = False
        self._ahead = b""
        self._out: bytes = b""
        self._at = 0

    def read(self, size: int, /) -> bytes:
        while self._at >= len(self._out):
            if not self._ahead:
                self._ahead = self._packed.read(CHUNK)
            if not self._ahead:
                if self._begun:
                    raise EOFError
                return b""
            step, self._ahead = self._ahead[:_SLICE], self._ahead[_SLICE:]
            self._begun = True
            self._out, self._at = self._frame.decompress(step), 0
            if self._frame.eof:
                self._ahead = self._frame.unused_data + self._ahead
                self._frame = self._frames.decompressobj()
                self._begun = False
        data = self._out[self._at : self._at + size]
        self._at += len(data)
        return data


def unpack(stream: ByteStream) -> Peeked | Unpacked:
    """The stream itself, or what is in it where it is compressed."""
    packed = Peeked(stream)
    magic = packed.peek(4)
    if magic.startswith(GZIP):
        return Unpacked(packed, _Gzip(packed))
    if magic == ZSTD:
        return Unpacked(packed, _Zstd(packed))
    return packed
