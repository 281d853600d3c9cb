"""What this process asks of its system: memory that is given back, and as many open files as it needs."""

import resource
from contextlib import suppress
from ctypes import CDLL
from typing import Final

_M_ARENA_MAX: Final = -8
_MANY: Final = 2**20
"""What no limit counts as."""


def spare_memory() -> None:
    """glibc gives every thread an arena of its own, which keep what they freed: two serve as well."""
    with suppress(OSError, AttributeError):
        CDLL(None).mallopt(_M_ARENA_MAX, 2)


def allow_files(wanted: int) -> int:
    """Raise the limit of open files to `wanted`, as far as the system lets this user; how many may be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return _MANY if soft == resource.RLIM_INFINITY else soft
