"""Answers that are kept under the key that a sender chose, so that a request which is sent again is not done again."""

from typing import Final, Protocol

from msgspec import Struct

KEPT_MS: Final = 24 * 3_600_000


class Key(Struct, frozen=True):
    """Whose request it is, and how they call it."""

    tenant: str
    actor: str
    key: str


class Answered(Struct, frozen=True):
    """`request`: a hash of what was asked for; `at`: UTC ms."""

    request: str
    status: int
    body: bytes
    at: int


class Answers(Protocol):
    """Raises StorageError."""

    async def answer(self, key: Key, *, since: int) -> Answered | None:
        """What was answered at or after `since` (UTC ms)."""
        ...

    async def keep_answer(self, key: Key, answered: Answered) -> None:
        """In place of an older one."""
        ...

    async def expire(self, *, before: int, limit: int) -> int:
        """Drop at most so many that are older (UTC ms); how many went."""
        ...
