"""Tenants' names."""

import re
from typing import Final

from monitor.domain.errors import ConfigError

LOCAL: Final = "local"
"""Who runs the service."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


def within(tenant: str, name: str) -> str:
    """What metrics call something of a tenant: two may have posts of one id, and those of who runs the service go by
    theirs alone."""
    return name if tenant == LOCAL else f"{tenant}/{name}"


def checked(name: str) -> str:
    """The name; it is part of a file's name, too. Raises ConfigError where it is none."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name[:80]!r} is no name of a tenant",
                          hint="1 to 64 letters, digits, . _ - of ASCII, the first of them no dot")
    return name
