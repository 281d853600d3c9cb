"""Pseudonym keys: one per tenant, made at first use, readable by the service alone."""

import os
import secrets
import tempfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from monitor.domain.errors import ConfigError
from monitor.domain.tenants import LOCAL, checked
from monitor.services.pseudonyms import KEY_BYTES


class KeyFiles:
    """Keys as hex in `<folder>/<tenant>.key`, mode 0600. `key_file`, where given, serves the tenant `local`.

    `on_made` is told the tenant whose key was made.
    """

    def __init__(
        self, folder: Path, *, key_file: str = "", on_made: Callable[[str], None] = lambda tenant: None
    ) -> None:
        self._folder = folder
        self._key_file = key_file
        self._on_made = on_made

    def key_of(self, tenant: str) -> bytes:
        """Raises ConfigError where a key file is unreadable or holds no key."""
        if self._key_file and tenant == LOCAL:
            return _read(Path(self._key_file))
        path = self._folder / f"{checked(tenant)}.key"
        try:
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _create(path)
                self._on_made(tenant)
        except OSError as error:
            raise ConfigError(f"the pseudonym key {path} can't be made: {error.strerror}",
                              hint="let the service write to the folder") from error
        return _read(path)


class SharedKey:
    """Keys of all tenants from one file that every node and bridge is given: the tenant `local` has the key itself, the
    others one that follows from it, unless a file `<tenant>.key` lies beside it."""

    def __init__(self, key_file: str) -> None:
        """Raises ConfigError where there is none."""
        if not key_file:
            raise ConfigError("several processes hide viewers behind the same key, and none is given",
                              hint="set pseudonym.key_file to a file that all have; `openssl rand -hex 32` makes a key")
        self._path = Path(key_file)
        self._key = _read(self._path)

    def key_of(self, tenant: str) -> bytes:
        """Raises ConfigError where a key file is unreadable or holds no key."""
        if tenant == LOCAL:
            return self._key
        own = self._path.parent / f"{checked(tenant)}.key"
        if own.exists():
            return _read(own)
        return blake2b(tenant.encode(), digest_size=KEY_BYTES, key=self._key, person=b"redpost-tenant").digest()


def _create(path: Path) -> None:
    """Appears whole or not at all; a second process that was quicker wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # mode 0600
    temporary = Path(name)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigError(f"the pseudonym key {path} can't be read: {error}",
                          hint="restore it from a backup: with another key, viewers get other pseudonyms") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"the pseudonym key {path} has {len(key)} bytes, not {KEY_BYTES}",
                          hint="restore it from a backup")
    return key


def link_secret() -> str:
    """Of 256 random bits, to be put in an address."""
    return "rc_" + secrets.token_urlsafe(32)
