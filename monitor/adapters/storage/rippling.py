"""What moves of some alerts do to others of their rooms: what they held back is free, or held again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, select

from monitor.adapters.storage.cases import case_of, load, standing
from monitor.adapters.storage.schema import HELD, LIVE, alerts
from monitor.adapters.storage.statements import parts
from monitor.domain.alerts import LIVE as ALIVE
from monitor.domain.alerts import AlertState
from monitor.domain.findings import RANK
from monitor.domain.suppression import Hold, Standing, inhibited
from monitor.services.cases import Case, Effect, Ripple
from monitor.services.ripples import still_holds, untouched

Key = tuple[str, str]
"""Tenant and alert."""
_BY_ALERTS: Final = frozenset((Hold.INHIBITED, Hold.SAME_WORDING))
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
    touched = {case.alert.id: (case, each) for find in (_let_go, _held_again, _left_behind)
               for case, each in find(connection, tenant, ripple, known)}
    if not touched:
        return []
    rooms = _standing(connection, tenant, {case.alert.room for case, _ in touched.values()}, known)
    found = []
    for case, each in sorted(touched.values(), key=lambda pair: (-RANK[pair[0].alert.severity], pair[0].alert.id)):
        here = rooms[case.alert.room]
        effect = each.step(case, [other for name, other in here.items() if name != case.alert.id])
        _note(here, effect.case)
        found.append((case, effect))
    return found


def _let_go(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> Iterator[tuple[Case, Ripple]]:
    holders = [name for name, each in ripple.items() if each.frees]
    for some in parts(holders):
        rows = connection.execute(_held, {"of_tenant": tenant, "holders": some}).mappings()
        for case in _as_they_are(rows, tenant, known):
            each = ripple.get(case.review.by_what)
            if case.alert.state is AlertState.HELD and each is not None and case.review.why in each.frees:
                yield case, each


def _held_again(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> Iterator[tuple[Case, Ripple]]:
    """What had been given free and nobody has touched since: by one that is back, or by one below it that it hides."""
    back = [each for each in ripple.values() if each.hides is not None]
    for some in parts(sorted({each.room for each in back})):
        rows = connection.execute(_live, {"of_tenant": tenant, "rooms": some}).mappings()
        for case in filter(untouched, _as_they_are(rows, tenant, known)):
            own = ripple.get(case.review.freed_by)
            hiding = own if own is not None and own.hides is not None else next(
                (each for each in back if each.room == case.alert.room and each.hides is not None
                 and inhibited(case.alert.severity, case.alert.category, [each.hides])), None)
            if hiding is not None:
                yield case, hiding


def _left_behind(
    connection: Connection, tenant: str, ripple: Mapping[str, Ripple], known: Mapping[Key, Case]
) -> Iterator[tuple[Case, Ripple]]:
    """What has gone back to being held by one that holds it no more."""
    for name, each in ripple.items():
        case = known.get((tenant, name))
        if case is None or case.alert.state is not AlertState.HELD or case.review.why not in _BY_ALERTS:
            continue
        key = tenant, case.review.by_what
        holder = known.get(key) or load(connection, [key[1]]).get(key)
        if not still_holds(case.review.why, holder):
            yield case, each


def _as_they_are(rows: Iterable[RowMapping], tenant: str, known: Mapping[Key, Case]) -> Iterator[Case]:
    """The cases of these rows, and all that has moved since the rows were written."""
    moved = {name: case for (of, name), case in known.items() if of == tenant}
    yield from (case_of(row) for row in rows if row["id"] not in moved)
    yield from moved.values()


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
