"""config/rooms.yml: what rules may know of the rooms."""

import re
from pathlib import Path
from typing import Final

import msgspec

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import TOP, Faults, raise_any, shown
from monitor.adapters.rulefiles.fields import Fields, items_of, text_of
from monitor.adapters.rulefiles.nodes import MAX_YAML, Items, Node, Scalar, Table, parse
from monitor.domain.errors import RuleError
from monitor.domain.phrases import phrase
from monitor.domain.rules import RoomContext

_PRICE: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")

def load_rooms(path: Path) -> list[RoomContext]:
    """Raises RuleError with all faults of the file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_YAML + 1)
    except OSError as error:
        faults = Faults(str(path))
        faults.add(TOP, f"cannot be read: {error.strerror}", "check the path and its permissions")
        raise RuleError(faults.all()) from None
    return load_rooms_source(data, path=str(path))


def load_rooms_source(data: bytes, *, path: str) -> list[RoomContext]:
    """The same from the file's bytes; `path` is what the faults name."""
    faults = Faults(path)
    root = parse(data, faults)
    rooms: list[RoomContext] = []
    if root is not None:
        fields = Fields(root, faults, phrase("the rooms file"), ("rooms",))
        fields.require("rooms")
        node = fields.node("rooms")
        first: dict[tuple[str, str], int] = {}
        for item in items_of(node, faults, "rooms") if node is not None else []:
            rooms.append(_room(item, first, faults))
    raise_any([faults])
    return rooms


def read_facts(fields: Fields) -> RoomContext:
    """What is said of a room; its profile is a tag like the others."""
    profile = fields.name("profile")
    tags = tuple(tag for tag, _ in fields.words("tags"))
    proofs = fields.node("claim_proofs")
    if proofs is not None and not isinstance(proofs, Table):
        fields.faults.add(proofs, "claim_proofs must be a table", "write {claim as it is said: number of its proof}")
    pairs = proofs.pairs if isinstance(proofs, Table) else []
    return RoomContext(
        room="",
        platform=fields.text("platform"),
        vertical=fields.text("vertical"),
        tags=(*tags, profile) if profile and profile not in tags else tags,
        qualifications=_some(fields, "qualifications"),
        product_categories=_some(fields, "product_categories"),
        listed_prices=_prices(fields),
        claim_proofs={key.value: text_of(value, fields.faults, "claim_proofs") for key, value in pairs},
    )


def _some(fields: Fields, key: str) -> tuple[str, ...] | None:
    """The words of a list that may be empty; None where nothing is said."""
    node = fields.node(key)
    if node is None:
        return None
    return () if isinstance(node, Items) and not node.items else tuple(word for word, _ in fields.words(key))


def _prices(fields: Fields) -> tuple[float, ...] | None:
    node = fields.node("listed_prices")
    if node is None:
        return None
    found = []
    for item in items_of(node, fields.faults, "listed_prices"):
        if isinstance(item, Scalar) and item.tag in ("int", "float") and _PRICE.fullmatch(item.value):
            found.append(float(item.value))
        else:
            fields.faults.add(item, "a listed price must be a number of yuan", "such as 99 or 9.9, without quotes")
    return tuple(found)


def _room(node: Node, first: dict[tuple[str, str], int], faults: Faults) -> RoomContext:
    fields = Fields(node, faults, phrase("the room"), keys.ROOM)
    fields.require("room")
    room = msgspec.structs.replace(read_facts(fields), room=fields.text("room"), title=fields.text("title"),
                                   tenant=fields.text("tenant") or "local", unit=fields.text("unit"))
    key = (room.tenant, room.room)
    if room.room and key in first:
        what = f"the room {shown(room.room)} stands twice, first in line {first[key]}"
        faults.add(fields.where("room"), what, "remove one")
    first.setdefault(key, node.line)
    return room
