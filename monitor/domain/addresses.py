"""Which addresses outside may be called: what a tenant writes down must not lead into the operator's own network."""

import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from monitor.domain.errors import InputError
from monitor.domain.phrases import phrase

_NAT64: Final = 0x0064_FF9B << 64
"""The upper 96 bits of 64:ff9b::/96."""
_OWN_NAT64: Final = 0x0064_FF9B_0001
"""The upper 48 bits of 64:ff9b:1::/48, for use within a network, whose own addresses may be inside."""
_COMPATIBLE: Final = 0
"""The upper 96 bits of ::/96, given up long ago: an IPv4 address with zeros before it."""
_HINT: Final = "name a public address, or have the operator set outside.private"


def is_public(address: str) -> bool:
    """Of an IP address: whether it is one of the open internet. What carries another one inside is as that one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found.is_site_local or int(found) >> 80 == _OWN_NAT64 or int(found) >> 32 == _COMPATIBLE:
            return False
        if int(found) >> 32 == _NAT64:
            inner = IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            return _is_public(inner)
    return found.is_global and not found.is_multicast


def checked(url: str, *, private: bool) -> SplitResult:
    """The parts of an address over HTTP. `private`: those of the own network are allowed, too. A name is told by what
    it resolves to, when it is called.

    Raises InputError with what is wrong.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise InputError(phrase("{url} is no address over HTTP", url=repr(url[:80])),
                         hint="write it as https://example.com/path")
    if parts.username is not None or parts.password is not None:
        raise InputError("the address holds a user or a password", hint="leave them out: an address is shown to people")
    host = parts.hostname or ""
    if not private and _is_private_name(host):
        raise InputError(phrase("{host} lies in a private network", host=host[:80]), hint=_HINT)
    return parts


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, in one form for each. Raises InputError for what is no address over HTTP."""
    parts = checked(url, private=True)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def allowed(host: str, addresses: Iterable[str], *, private: bool) -> list[str]:
    """Of the addresses that a name resolves to, those that may be called. Raises InputError where one of them may not:
    a name that leads both ways is no mistake."""
    found = list(addresses)
    if not private and not all(is_public(address) for address in found):
        raise InputError(phrase("{host} leads into a private network", host=host[:80]), hint=_HINT)
    return found


def filled(template: str, *, room: str, broadcast: str, offset_ms: int | None) -> str:
    """An address with {room}, {broadcast} and {offset_s} in it, made that of a moment; 0 where it is not known."""
    values = {"room": room, "broadcast": broadcast, "offset_s": str((offset_ms or 0) // 1000)}
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def _is_private_name(host: str) -> bool:
    name = unicodedata.normalize("NFKC", host).replace("\N{IDEOGRAPHIC FULL STOP}", ".").rstrip(".").lower()
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return name.replace(".", "").isdigit() or name.startswith("0x")  # 127.1, 2130706433: as old resolvers read it
    return not is_public(name)
