"""Channels: where messages go beyond the console. Their addresses are secrets: whoever knows one can post there."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import urlsplit

from msgspec import Meta
from msgspec.structs import replace

from monitor.domain.phrases import phrase
from monitor.domain.record import Record

HIDDEN: Final = "***"
WEBHOOK: Final = frozenset(("https", "http"))
"""Addresses that get our own signed calls."""
MAIL: Final = frozenset(("mailto", "mailtos"))
SERVICES: Final = {"wecombot": "WeCom", "dingtalk": "DingTalk", "feishu": "Feishu", "mailto": "mail", "mailtos": "mail"}
"""Schemes of Apprise addresses that are taken. Others may name any address of the network."""
SHORTEST_SECRET: Final = 16
_MAIL: Final = re.compile(r"(to|from|name|user|pass|mode|cc|bcc|reply)=[^&;#\s]*|smtp=(?P<host>[A-Za-z0-9.-]+)")
"""One option of an address of mail. Apprise has more, which name files and further hosts; and it takes other signs than
`&` between them, and spaces before their names."""


class Channel(Record, frozen=True, kw_only=True):
    """`url`: the address of a webhook, or one of Apprise (`wecombot://KEY`); `secret`: what calls of a webhook are
    signed with."""

    kind: ClassVar[str] = "channel"
    title: Annotated[str, Meta(max_length=256)] = ""
    unit: Annotated[str, Meta(max_length=128)] = ""
    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    secret: Annotated[str, Meta(max_length=256)] = ""

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0].lower()

    def shown(self) -> Self:
        return replace(self, url=_without_secret(self.url), secret=HIDDEN if self.secret else "")

    def over(self, before: Self | None) -> Self:
        if before is None:
            return self
        known = before.shown()
        return replace(self, url=before.url if self.url == known.url else self.url,
                       secret=before.secret if self.secret == HIDDEN else self.secret)

    def faults(self) -> Iterator[str]:
        if self.scheme in WEBHOOK:
            if not _host(self.url):
                yield "its address names no host"
            if len(self.secret) < SHORTEST_SECRET:
                yield phrase("a webhook needs a `secret` of at least {least} characters, to sign its calls with",
                             least=SHORTEST_SECRET)
        elif self.scheme not in SERVICES:
            yield phrase("no channel has the scheme {scheme}; one of https, {names}", scheme=repr(self.scheme[:20]),
                         names=', '.join(SERVICES))
        elif self.scheme in MAIL and mail_hosts(self.url) is None:
            yield "mail takes to, from, name, user, pass, mode, cc, bcc, reply and smtp, with & between them"
        if HIDDEN in (self.url, self.secret) or self.url.endswith(f"/{HIDDEN}"):
            yield phrase("{hidden} stands for a secret that is kept; here none is: send the address and the secret",
                         hidden=HIDDEN)


def mail_hosts(url: str) -> set[str] | None:
    """The hosts that an address of mail names; None where another reader might find others in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    options = [_MAIL.fullmatch(option) for option in parts.query.split("&")] if parts.query else []
    if "#" in url or None in options:
        return None
    return {parts.hostname or ""} | {option["host"] for option in options if option is not None and option["host"]}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _without_secret(url: str) -> str:
    """Scheme and host of a webhook, of others the scheme alone."""
    scheme = url.partition("://")[0]
    return f"{scheme}://{_host(url)}/{HIDDEN}" if scheme.lower() in WEBHOOK else f"{scheme}://{HIDDEN}"
