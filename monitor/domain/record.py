"""Records: what a tenant keeps under an id and edits as a whole, each edit a new version."""

from typing import ClassVar, Self

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`kind`: the word for it in addresses, files and the trail."""

    kind: ClassVar[str] = ""

    @property
    def until(self) -> int | None:
        """When it is over (UTC ms); None: it lasts."""
        return None

    def shown(self) -> Self:
        """As people, files and the trail see it: without its secrets."""
        return self

    def over(self, before: Self | None) -> Self:
        """In the place of `before`: secrets that come back as they are shown stay what they were."""
        return self
