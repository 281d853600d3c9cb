"""Half of a piece of work in a process of its own, which begins with all that is known and ends with its half."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

T = TypeVar("T")
U = TypeVar("U")

_NICE = 10
"""Whatever else runs goes first."""


def halved(work: Callable[[Sequence[T]], list[U]], items: Sequence[T], of: type[U]) -> list[U]:
    """`work(items)`, whose second half another processor does where there is one. `of`: what it makes of an item, which
    msgpack can hold. What the other process does not do, for whatever reason, is done here."""
    if not _possible():
        return work(items)
    middle = len(items) // 2
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)  # so that writing fails where nobody reads any more
        _tell(work, items[middle:], write)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as told:
            first = work(items[:middle])
            found = told.read()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        return first + msgspec.msgpack.decode(found, type=list[of])  # type: ignore[valid-type]
    except msgspec.MsgspecError:
        return first + work(items[middle:])


def _possible() -> bool:
    """On Linux, where another processor is. A process of several threads does not fork: what the others hold would be
    held for ever."""
    return hasattr(os, "sched_getaffinity") and threading.active_count() == 1 and len(os.sched_getaffinity(0)) > 1


def _tell(work: Callable[[Sequence[T]], list[U]], items: Sequence[T], write: int) -> None:
    """Ends the process, whatever comes of it: what else it inherited is not its own."""
    try:
        with suppress(OSError):
            os.nice(_NICE)
        with os.fdopen(write, "wb") as to:
            to.write(msgspec.msgpack.encode(work(items)))
    finally:
        os._exit(0)
