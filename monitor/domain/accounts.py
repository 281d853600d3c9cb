"""People who sign in: their places in tenants, how long a session lasts, when trying has to wait. Times in UTC ms."""

import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from monitor.domain.errors import InputError
from monitor.domain.people import Actor, Grant
from monitor.domain.phrases import phrase

SHORTEST: Final = 12
"""Characters of a password: length is what makes one hard to guess (NIST SP 800-63B)."""
LONGEST: Final = 256
_MINUTE: Final = 60_000
_RESERVED: Final = frozenset(("time", "me", "loopback", "unknown", "system"))
_LOGIN: Final = re.compile(r"[\w.@+-]{1,128}")
_TOKEN: Final = re.compile(r"t[0-9a-f]{12}")

Title = Annotated[str, Meta(max_length=128)]


class User(Struct, frozen=True, kw_only=True):
    """A person's place in a tenant. `joined`: they have taken the invitation; until then they cannot sign in here.

    A login is one person with one password, in however many tenants."""

    tenant: str
    login: str
    name: str
    grants: tuple[Grant, ...]
    created_at: int
    joined: bool = False
    disabled: bool = False
    version: int = 1

    @property
    def actor(self) -> Actor:
        return Actor(id=self.login, tenant=self.tenant, grants=self.grants)

    @property
    def active(self) -> bool:
        return self.joined and not self.disabled


class Invitation(Struct, frozen=True, kw_only=True):
    """`sha256`: of the secret in its link, which works once."""

    sha256: str
    tenant: str
    login: str
    expires_at: int
    used_at: int | None = None

    def open_at(self, now: int) -> bool:
        return self.used_at is None and now < self.expires_at


class Session(Struct, frozen=True, kw_only=True):
    """`sha256`: of the secret in the cookie; `before`: of the one that it has taken the place of, which still counts
    until `before_until`; `csrf`: what a page of ours sends with every change."""

    id: str
    tenant: str
    login: str
    sha256: str
    csrf: str
    created_at: int
    rotated_at: int
    seen_at: int
    before: str = ""
    before_until: int = 0


class Times(Struct, frozen=True, kw_only=True):
    """Of sessions and of links. A session ends `idle_ms` after its last request and `whole_ms` after its first. Its
    secret is changed every `rotate_ms`; requests that were under way then may bring the old one for `grace_ms`."""

    idle_ms: int = 120 * _MINUTE
    whole_ms: int = 720 * _MINUTE
    rotate_ms: int = 15 * _MINUTE
    grace_ms: int = _MINUTE
    invitation_ms: int = 72 * 60 * _MINUTE
    setup_ms: int = 60 * _MINUTE


class Standing(StrEnum):
    LIVE = "live"
    STALE = "stale"  # its secret is to be changed
    ENDED = "ended"
    REPLAYED = "replayed"  # an old secret came again: somebody else may hold it


def standing(session: Session, sha256: str, now: int, times: Times) -> Standing:
    """`sha256`: of the secret that came, the session's own or the one before."""
    if now >= min(session.seen_at + times.idle_ms, session.created_at + times.whole_ms):
        return Standing.ENDED
    if sha256 != session.sha256:
        return Standing.LIVE if now < session.before_until else Standing.REPLAYED
    return Standing.STALE if now >= session.rotated_at + times.rotate_ms else Standing.LIVE


class Throttle(Struct, frozen=True, kw_only=True):
    """After so many failures, each less than `lock_ms` after the one before, nothing is tried for `lock_ms`."""

    failures: int
    lock_ms: int = 15 * _MINUTE


class Guard(Struct, frozen=True, kw_only=True):
    """How often may be tried: as one login, and from one address."""

    login: Throttle = Throttle(failures=10)
    address: Throttle = Throttle(failures=100)

    @property
    def longest_ms(self) -> int:
        return max(self.login.lock_ms, self.address.lock_ms)


class Tries(Struct, frozen=True, kw_only=True):
    """What is remembered of a login that was tried, or of an address that tried. Each try counts as a failure until
    it is known to be none, so that many at once are no way around."""

    failures: int = 0
    at: int = 0
    locked_until: int = 0


def tried(before: Tries, now: int, throttle: Throttle) -> Tries:
    """After one more try; the same value where none is allowed now."""
    if now < before.locked_until:
        return before
    fresh = before.locked_until or now - before.at >= throttle.lock_ms
    failures = 1 if fresh else before.failures + 1
    return Tries(failures=failures, at=now,
                 locked_until=now + throttle.lock_ms if failures >= throttle.failures else 0)


def forgiven(before: Tries) -> Tries:
    """After a try that was none to be counted."""
    return replace(before, failures=max(0, before.failures - 1), locked_until=0)


def login_of(text: str) -> str:
    """As it is stored: one login for every way to write it. Raises InputError."""
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    if not _LOGIN.fullmatch(login) or login in _RESERVED or _TOKEN.fullmatch(login):
        raise InputError(phrase("{text} is no login", text=repr(text[:40])),
                         hint="letters, digits and . _ @ + -, at most 128, such as a "
                         "mail address; not the name of something that acts by itself")
    return login


def check_password(password: str, login: str) -> None:
    """Raises InputError where it must not be one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(phrase("a password has {least} to {most} characters", least=SHORTEST, most=LONGEST),
                         hint="several words make a good one")
    if len(set(password)) < 5 or login in password.casefold():
        raise InputError("the password is too easy to guess", hint="not the login in it, and not the same few "
                         "characters again and again")
