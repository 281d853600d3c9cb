"""Pages of lists: how many, from where on, and the word by which the next one is asked for."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from monitor.domain.errors import InputError

T = TypeVar("T")
K = TypeVar("K")


def packed_cursor(key: tuple[int | str, ...]) -> str:
    """What a list goes by, as it stands at the end of a page."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def unpacked_cursor(cursor: str, decoder: msgspec.json.Decoder[T]) -> T:
    """Raises InputError for what `packed_cursor` did not write."""
    try:
        return decoder.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InputError(
            "the cursor is not one of this list",
            hint="start again without a cursor, and pass on `next` as it came",
        ) from error


async def page(
    fetch: Callable[[K | None, int], Awaitable[list[T]]], shows: Callable[[T], bool], key: Callable[[T], K],
    after: K | None, limit: int,
) -> tuple[list[T], K | None]:
    """At most `limit` of what is to be shown behind `after`, and the key of the last of them where more follows.
    `fetch`: so many behind a key, in their order."""
    found: list[T] = []
    while len(found) <= limit:
        some = await fetch(after, limit + 1)
        found += filter(shows, some)
        if len(some) <= limit:
            break
        after = key(some[-1])
    return found[:limit], key(found[limit - 1]) if len(found) > limit else None
