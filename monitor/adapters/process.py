"""What this process asks of its system: memory given back, rare collecting, as many open files as it needs."""

import gc
import resource
from contextlib import suppress
from ctypes import CDLL
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]

_M_ARENA_MAX: Final = -8
_COLLECT_AFTER: Final = (50_000, 20, 50)
"""Allocations between collections: events live for one batch and hold no cycles, so collecting often only costs."""
_MANY: Final = 2**20
"""What no limit counts as."""


def spare_memory() -> None:
    """glibc gives every thread an arena of its own, which keep what they freed: two serve as well. Arrow has a pool of
    its own besides, unless it is told."""
    pa.set_memory_pool(pa.system_memory_pool())
    with suppress(OSError, AttributeError):
        CDLL(None).mallopt(_M_ARENA_MAX, 2)


def trim_heap() -> None:
    """Pages of which nothing is held go back to the system; what stays a minute lies between what stays a moment."""
    with suppress(OSError, AttributeError):
        CDLL(None).malloc_trim(0)


def give_memory_back() -> None:
    """What nobody holds goes back to the system: compiling rules leaves some 250 MB between what stays."""
    gc.collect()
    trim_heap()


def collect_rarely() -> None:
    """What there is now stays: the collector need not look at it again and again."""
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def allow_files(wanted: int) -> int:
    """Raise the limit of open files to `wanted`, as far as the system lets this user; how many may be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return _MANY if soft == resource.RLIM_INFINITY else soft
