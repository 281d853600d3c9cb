"""config/rooms.yml: what rules may know of the rooms."""

from pathlib import Path

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import TOP, Faults, raise_any, shown
from monitor.adapters.rulefiles.fields import Fields, items_of
from monitor.adapters.rulefiles.nodes import MAX_YAML, Node, parse
from monitor.domain.errors import RuleError
from monitor.domain.rules import RoomContext


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
        fields = Fields(root, faults, "the rooms file", ("rooms",))
        fields.require("rooms")
        node = fields.node("rooms")
        first: dict[tuple[str, str], int] = {}
        for item in items_of(node, faults, "rooms") if node is not None else []:
            rooms.append(_room(item, first, faults))
    raise_any([faults])
    return rooms


def _room(node: Node, first: dict[tuple[str, str], int], faults: Faults) -> RoomContext:
    fields = Fields(node, faults, "the room", keys.ROOM)
    fields.require("room")
    room = RoomContext(
        room=fields.text("room"),
        tenant=fields.text("tenant") or "local",
        title=fields.text("title"),
        platform=fields.text("platform"),
        vertical=fields.text("vertical"),
        tags=tuple(tag for tag, _ in fields.words("tags")),
        unit=fields.text("unit"),
    )
    key = (room.tenant, room.room)
    if room.room and key in first:
        what = f"the room {shown(room.room)} stands twice, first in line {first[key]}"
        faults.add(fields.where("room"), what, "remove one")
    first.setdefault(key, node.line)
    return room
