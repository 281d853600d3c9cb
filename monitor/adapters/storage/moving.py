"""Moves: those that came together are made one after another in one transaction, and written in one stroke."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete

from monitor.adapters.storage import labels as label_rows
from monitor.adapters.storage import mail, tracks, trail
from monitor.adapters.storage.cases import load, requeue, save, stale
from monitor.adapters.storage.outbox import tell
from monitor.adapters.storage.rippling import Key, asked, ripples
from monitor.adapters.storage.schema_post import moves, rulings
from monitor.adapters.storage.statements import insert, parts
from monitor.domain.alerts import Alert
from monitor.domain.errors import Refused
from monitor.domain.labels import Label, Withdrawn
from monitor.domain.phrases import phrase
from monitor.services.cases import Answered, Case, Effect, Placing, Ref, Ripple, Step

_encoder: Final = msgspec.msgpack.Encoder()
_forget: Final = delete(rulings).where(rulings.c.key.in_(bindparam("keys", expanding=True)))


class Ask(Struct, frozen=True):
    """What one caller wants; see `services.cases.Cases.move`."""

    tenant: str
    refs: Sequence[Ref]
    step: Step
    together: bool


def move(connection: Connection, asks: Sequence[Ask]) -> list[Answered]:
    """One answer for each, in their order: a later one meets what the earlier ones have made of an alert."""
    before = load(connection, list({ref.alert: None for ask in asks for ref in ask.refs}))
    known, done = dict(before), list[Effect]()
    counted: list[tuple[dict[str, Refused], int]] = []
    for ask in asks:
        effects, refused = _steps(ask, known)
        if ask.together and refused:
            effects = []
        known.update({_key(effect.case): effect.case for effect in effects})
        freed = ripples(connection, ask.tenant, asked(effects), known)
        for case, _ in freed:
            before.setdefault(_key(case), case)
        effects += [effect for _, effect in freed]
        known.update({_key(effect.case): effect.case for effect in effects})
        done += effects
        counted.append((refused, len(effects)))
    write(connection, before, known, done)
    updates = iter(tell(connection, [("moved", effect.case.alert) for effect in done]))
    made = iter(done)
    return [Answered(tuple(next(made).case for _ in range(many)), refused, tuple(next(updates) for _ in range(many)))
            for refused, many in counted]


def _steps(ask: Ask, known: Mapping[Key, Case]) -> tuple[list[Effect], dict[str, Refused]]:
    effects: list[Effect] = []
    refused: dict[str, Refused] = {}
    for ref in {ref.alert: ref for ref in ask.refs}.values():
        try:
            effects.append(_step(known.get((ask.tenant, ref.alert)), ref, ask.step))
        except Refused as why:
            refused[ref.alert] = why
    return effects, refused


def _step(case: Case | None, ref: Ref, step: Step) -> Effect:
    if case is None:
        raise Refused("missing", phrase("there is no alert {alert}", alert=ref.alert),
                      hint="GET /api/v1/alerts lists them")
    if ref.version is not None and ref.version != case.alert.version:
        raise stale(case)
    return step(case)


def settled(connection: Connection, changed: Iterable[tuple[Case, Case]], placing: Placing, now: int) -> list[Alert]:
    """What findings that came or fell do to other alerts, now that those of `changed` (before, after) are written."""
    asking: dict[str, dict[str, Ripple]] = {}
    for old, new in changed:
        ripple = placing.ripple(old, new, now)
        if ripple is not None:
            asking.setdefault(new.alert.tenant, {})[new.alert.id] = ripple
    found = [pair for tenant, some in asking.items() for pair in ripples(connection, tenant, some, {})]
    write(connection, {_key(case): case for case, _ in found}, {_key(effect.case): effect.case for _, effect in found},
          [effect for _, effect in found])
    return [effect.case.alert for _, effect in found]


def _key(case: Case) -> Key:
    return case.alert.tenant, case.alert.id


def write(
    connection: Connection, before: Mapping[Key, Case], after: Mapping[Key, Case], done: Sequence[Effect]
) -> None:
    if not done:
        return
    touched = list(dict.fromkeys(_key(effect.case) for effect in done))
    save(connection, [(before[key], after[key]) for key in touched])
    connection.execute(moves.insert(), [
        {"alert_id": effect.moved.alert, "version": effect.moved.version, "tenant": effect.case.alert.tenant,
         "at": effect.moved.at, "by": effect.moved.by, "body": _encoder.encode(effect.moved)} for effect in done])
    trail.append(connection, [effect.deed for effect in done])
    mail.put(connection, [message for effect in done for message in effect.messages])
    tracks.tally(connection, [(before[key], after[key]) for key in touched])
    _learn(connection, done)
    _remember(connection, done)
    requeue(connection, [after[key].alert for key in touched])


def _learn(connection: Connection, done: Sequence[Effect]) -> None:
    given: dict[str, list[Label]] = {}
    for effect in done:
        if effect.label is not None:
            given.setdefault(effect.case.alert.tenant, []).append(effect.label)
    for tenant, labels in given.items():
        label_rows.save(connection, tenant, labels)
    for effect in done:
        if effect.unlearn:
            told = effect.moved
            label_rows.withdraw(connection, effect.case.alert.tenant, effect.unlearn,
                                Withdrawn(by=told.by, at=told.at, reason=str(told.move["move"])))


def _remember(connection: Connection, done: Iterable[Effect]) -> None:
    """Decisions on words, for those that come again; of one wording the last one counts."""
    rows: dict[str, dict[str, Any] | None] = {}
    for effect in done:
        wording = effect.case.kept.wording
        if wording and effect.ruled is not None:
            rows[wording] = {"key": wording, "alert_id": effect.ruled.alert, "outcome": effect.ruled.outcome.value,
                             "at": effect.moved.at, "cued": effect.case.kept.cued}
        elif wording and effect.forget:
            rows[wording] = None
    for some in parts([key for key, row in rows.items() if row is None]):
        connection.execute(_forget, {"keys": some})
    kept = [row for row in rows.values() if row is not None]
    if kept:
        statement = insert(connection, rulings)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[rulings.c.key],
                set_={name: statement.excluded[name] for name in ("alert_id", "outcome", "at", "cued")}), kept)
