"""What moves of some alerts do to others of their rooms: what they held back is free, or held again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select

from monitor.adapters.storage.cases import case_of, standing
from monitor.adapters.storage.schema import HELD, LIVE, alerts
from monitor.adapters.storage.statements import parts
from monitor.domain.alerts import LIVE as ALIVE
from monitor.domain.alerts import AlertState
from monitor.domain.suppression import RANK, Standing
from monitor.services.cases import Case, Effect, Ripple

Key = tuple[str, str]
"""Tenant and alert."""
_held: Final = select(alerts).where(
    alerts.c.tenant == bindparam("of_tenant"), alerts.c.held_by.in_(bindparam("holders", expanding=True)), HELD)
_live: Final = select(alerts).where(
    alerts.c.tenant == bindparam("of_tenant"), alerts.c.room.in_(bindparam("rooms", expanding=True)), LIVE)


def ripples(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> list[tuple[Case, Effect]]:
    """Others, each as it was and what becomes of it; the gravest first. `ripple`: by the alert that moved; `known`:
    what has moved since the tables were written."""
    if not ripple:
        return []
    touched = [*_let_go(connection, tenant, ripple, known), *_held_again(connection, tenant, ripple, known)]
    if not touched:
        return []
    rooms = _standing(connection, tenant, {case.alert.room for case, _ in touched}, known)
    found = []
    for case, each in sorted(touched, key=lambda pair: (-RANK[pair[0].alert.severity], pair[0].alert.id)):
        here = rooms[case.alert.room]
        effect = each.step(case, [other for name, other in here.items() if name != case.alert.id])
        _note(here, effect.case)
        found.append((case, effect))
    return found


def _let_go(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> Iterable[tuple[Case, Ripple]]:
    holders = [name for name, each in ripple.items() if each.frees]
    for some in parts(holders):
        for row in connection.execute(_held, {"of_tenant": tenant, "holders": some}).mappings():
            case = known.get((tenant, row["id"])) or case_of(row)
            each = ripple.get(case.review.by_what)
            if case.alert.state is AlertState.HELD and each is not None and case.review.why in each.frees:
                yield case, each


def _held_again(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> Iterable[tuple[Case, Ripple]]:
    """What it had freed and nobody has touched since."""
    rooms = sorted({each.room for each in ripple.values() if each.holds})
    for some in parts(rooms):
        for row in connection.execute(_live, {"of_tenant": tenant, "rooms": some}).mappings():
            case = known.get((tenant, row["id"])) or case_of(row)
            each = ripple.get(case.review.freed_by)
            if case.alert.state is AlertState.OPEN and each is not None and each.holds:
                yield case, each


def _standing(
    connection: Connection, tenant: str, rooms: set[str], known: Mapping[Key, Case]
) -> dict[str, dict[str, Standing]]:
    """By room and alert."""
    stored = standing(connection, {tenant: rooms})
    found = {room: {each.alert: each for each in stored.get((tenant, room), ())} for room in rooms}
    for (of, _), case in known.items():
        if of == tenant and case.alert.room in found:
            _note(found[case.alert.room], case)
    return found


def _note(here: dict[str, Standing], case: Case) -> None:
    alert = case.alert
    if alert.state in ALIVE:
        here[alert.id] = Standing(alert=alert.id, severity=alert.severity, category=tuple(alert.category))
    else:
        here.pop(alert.id, None)


def asked(effects: Sequence[Effect]) -> dict[str, Ripple]:
    """By alert."""
    return {effect.case.alert.id: effect.ripple for effect in effects if effect.ripple is not None}
