"""Whether what workers stored is what a single pass gives: findings, alerts, and every room's state."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import findings, shadow_findings, shadow_hours
from monitor.services.recovery import Saved

Found = dict[str, tuple[str, str | None]]
"""By finding: its alert, and why it no longer stands. What rules in the shadow found is there, too, and how often."""
SHADOW: Final = "in the shadow"


class Results(NamedTuple):
    """`states` and positions `at` by lane."""

    found: Found
    states: dict[int, Saved]
    at: Mapping[int, int]


async def found_in(database: Database) -> Found:
    rows = await database.read(lambda connection: connection.execute(
        select(findings.c.id, findings.c.alert_id, findings.c.withdrawn)).all())
    hour = shadow_hours.c
    noted = await database.read(lambda connection: connection.execute(select(shadow_findings.c.id)).all())
    counted = await database.read(lambda connection: connection.execute(
        select(hour.rule, hour.version, hour.hour, hour.findings).where(hour.findings > 0)).all())
    return {row.id: (row.alert_id, row.withdrawn) for row in rows} | {row.id: (SHADOW, None) for row in noted} | {
        f"{row.rule} {row.version} {row.hour}": (f"{row.findings} in the hour", None) for row in counted}


def comparable(state: bytes) -> Saved:
    """Without how far the lines of the rings and the archive had come, which says nothing of rooms."""
    saved = msgspec.msgpack.decode(state, type=Saved)
    return msgspec.structs.replace(saved, rooms=b"", rooms_seq=0, read_from=0)


def check(mine: Results, single: Results) -> None:
    """What workers stored, all of which have stopped by themselves, against what a single pass gives."""
    assert single.found
    assert {name: mine.found[name] for name in mine.found.keys() - single.found.keys()} == {}, \
        "findings that a single pass has not"
    assert {name: single.found[name] for name in single.found.keys() - mine.found.keys()} == {}, \
        "findings that are missing"
    assert mine.found == single.found
    assert mine.states
    for lane in mine.states.keys() & single.states.keys():
        differing = list(differences(*(msgspec.to_builtins(each.states[lane], str_keys=False, builtin_types=(bytes,))
                                       for each in (mine, single)), ""))
        if mine.at[lane] != mine.at.get(lane ^ 1, 0):  # what one lane has seen of a last tick waits for the other
            differing = [each for each in differing if not each.startswith(".merged")]
        assert not differing, f"lane {lane}: " + "; ".join(differing)[:4_000]


def differences(mine: Any, its: Any, path: str) -> Iterator[str]:
    """Where two states part, however deep; states within states are bytes. When a room is looked at next may be
    earlier than it need be."""
    if path.endswith(".wake"):
        return
    if isinstance(mine, bytes) and isinstance(its, bytes) and mine != its:
        mine, its = (msgspec.msgpack.decode(each, strict=False) for each in (mine, its))
    if isinstance(mine, dict) and isinstance(its, dict):
        for key in mine.keys() | its.keys():
            yield from differences(mine.get(key), its.get(key), f"{path}.{key}")
    elif isinstance(mine, list) and isinstance(its, list) and len(mine) == len(its):
        for i, pair in enumerate(zip(mine, its, strict=True)):
            yield from differences(*pair, f"{path}.{i}")
    elif mine != its:
        yield f"{path}: {str(mine)[:300]} instead of {str(its)[:300]}"
