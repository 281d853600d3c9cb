"""Bytes that are wanted for a while and would fill the memory: in unnamed files, which end with the process."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_FILE_BYTES: Final = 8 * 2**20


class Spool:
    """`keep` is for one thread, what it gives for any.

    A file's space is free again as soon as nothing of it is wanted any longer; `file_bytes` is how much goes into one.
    """

    def __init__(self, folder: Path, *, file_bytes: int = _FILE_BYTES) -> None:
        self._folder = folder
        self._file_bytes = file_bytes
        self._file: _File | None = None
        self._end = 0

    def keep(self, data: bytes) -> Callable[[], bytes]:
        """What reads `data` again. Where the disk refuses, it stays in memory."""
        try:
            if self._file is None or self._end >= self._file_bytes:
                self._file, self._end = _File(self._folder), 0
            offset, self._end = self._end, self._end + len(data)
            if os.pwrite(self._file.number, data, offset) == len(data):
                return _Piece(self._file, offset, len(data))
        except OSError:
            pass
        return lambda: data


class _File:
    """Closed with the last of its pieces."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - outlives this call
        self.number = self._file.fileno()

    def __del__(self) -> None:
        with suppress(AttributeError):  # it could not be opened
            self._file.close()


class _Piece:
    __slots__ = ("_file", "_offset", "_size")

    def __init__(self, file: _File, offset: int, size: int) -> None:
        self._file, self._offset, self._size = file, offset, size

    def __call__(self) -> bytes:
        return os.pread(self._file.number, self._size, self._offset)
