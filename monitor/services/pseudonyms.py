"""Viewer ids are pseudonymised on arrival: a keyed hash per tenant; the raw id is never written."""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Final

_CACHED: Final = 50_000
KEY_BYTES: Final = 32


class Pseudonyms:
    """`key_of(tenant)`: KEY_BYTES of secret, the same for the life of the tenant."""

    def __init__(self, key_of: Callable[[str], bytes]) -> None:
        self._key_of = key_of
        self._of: dict[str, Callable[[str], str]] = {}

    def prepare(self, tenants: Iterable[str]) -> None:
        """Read their keys now, so that a start fails rather than a request. Raises what `key_of` does."""
        for tenant in tenants:
            self.of(tenant)

    def of(self, tenant: str) -> Callable[[str], str]:
        """The tenant's mapping from a raw id to its pseudonym (`v` and 16 hex digits, 64 bits)."""
        if tenant not in self._of:
            self._of[tenant] = lru_cache(_CACHED)(partial(_pseudonym, self._key_of(tenant)))
        return self._of[tenant]


def _pseudonym(key: bytes, raw: str) -> str:
    return "v" + blake2b(raw.encode(), digest_size=8, key=key).hexdigest()
