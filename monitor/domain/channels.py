"""Channels: where messages go beyond the console. Their addresses are secrets: whoever knows one can post there."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import urlsplit

from msgspec import Meta
from msgspec.structs import replace

from monitor.domain.record import Record

HIDDEN: Final = "***"
WEBHOOK: Final = frozenset(("https", "http"))
"""Addresses that get our own signed calls."""
SERVICES: Final = {"wecombot": "WeCom", "dingtalk": "DingTalk", "feishu": "Feishu", "mailto": "mail", "mailtos": "mail"}
"""Schemes of Apprise addresses that are taken. Others may name any address of the network."""
SHORTEST_SECRET: Final = 16


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
                yield f"a webhook needs a `secret` of at least {SHORTEST_SECRET} characters, to sign its calls with"
        elif self.scheme not in SERVICES:
            yield f"no channel has the scheme {self.scheme[:20]!r}; one of https, {', '.join(SERVICES)}"
        if HIDDEN in (self.url, self.secret) or self.url.endswith(f"/{HIDDEN}"):
            yield f"{HIDDEN} stands for a secret that is kept; here none is: send the address and the secret"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _without_secret(url: str) -> str:
    """Scheme and host of a webhook, of others the scheme alone."""
    scheme = url.partition("://")[0]
    return f"{scheme}://{_host(url)}/{HIDDEN}" if scheme.lower() in WEBHOOK else f"{scheme}://{HIDDEN}"
