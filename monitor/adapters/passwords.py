"""Passwords as argon2id hashes (RFC 9106), made in threads, a few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

from monitor.domain.errors import BusyError, ConfigError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE: Final = 2
"""Each takes 64 MiB and some 50 ms of a processor."""
_WAITING: Final = 32
T = TypeVar("T")


class Argon2:
    """Implements `Passwords`. `cheap`: for tests, which have many."""

    def __init__(self, *, cheap: bool = False) -> None:
        self._cheap = cheap
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        try:
            from argon2 import PasswordHasher  # 20 ms, and 5 MB, for those who have people
            from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
        except ImportError:
            raise ConfigError("passwords need argon2-cffi, which is not installed",
                              hint="install redpost's dependencies again: make, or pip install argon2-cffi") from None
        return PasswordHasher.from_parameters(CHEAPEST if self._cheap else RFC_9106_LOW_MEMORY)

    @cached_property
    def _nobody(self) -> str:
        return str(self._hasher.hash("nobody has this password"))

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str, password: str) -> bool:
        def check() -> bool:
            nobody = self._nobody
            from argon2.exceptions import InvalidHashError, VerificationError

            try:
                self._hasher.verify(stored or nobody, password)
                return bool(stored)
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(check)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise BusyError("too many people sign in at once", retry_after=5, hint="try again in some seconds")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
