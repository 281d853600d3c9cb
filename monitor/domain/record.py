"""Records: what a tenant keeps under an id and edits as a whole, each edit a new version."""

from typing import ClassVar

from msgspec import Struct


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """`kind`: the word for it in addresses, files and the trail."""

    kind: ClassVar[str] = ""
