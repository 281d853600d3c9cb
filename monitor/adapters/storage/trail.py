"""The trail of changes: appended in the transaction of the change itself."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, func, select

from monitor.adapters.storage.schema_post import audit
from monitor.domain.audit import FIRST, AuditRow, Deed, row

_encoder: Final = msgspec.json.Encoder(order="deterministic")
_facts: Final = msgspec.json.Decoder(dict[str, Any])


def append(connection: Connection, deeds: Sequence[Deed]) -> None:
    """In their order. Two writers cannot both follow the same row: its number is the key."""
    last: dict[str, tuple[int, str]] = {}
    rows = []
    for deed in deeds:
        seq, before = last.get(deed.tenant) or _last(connection, deed.tenant)
        made = row(deed, seq=seq + 1, before=before)
        last[deed.tenant] = (made.seq, made.hash)
        rows.append({
            "tenant": deed.tenant, "seq": made.seq, "at": deed.at, "by": deed.by, "what": deed.what, "of": deed.on,
            "before": before, "hash": made.hash, "facts": _encoder.encode(deed.facts),
        })
    if rows:
        connection.execute(audit.insert(), rows)


def _last(connection: Connection, tenant: str) -> tuple[int, str]:
    found = connection.execute(
        select(audit.c.seq, audit.c.hash).where(audit.c.tenant == tenant).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return (0, FIRST) if found is None else (found.seq, found.hash)


def after(connection: Connection, tenant: str, seq: int, limit: int, *, on: str | None = None,
          before: int | None = None) -> list[AuditRow]:
    """Those behind `seq`, oldest first; `before`: only those before that, newest first; `on`: of this subject only."""
    query = select(audit).where(audit.c.tenant == tenant, audit.c.seq > seq)
    if on is not None:
        query = query.where(audit.c.of == on)
    if before is not None:
        query = query.where(audit.c.seq < before)
    order = audit.c.seq if before is None else audit.c.seq.desc()
    return [_of(found) for found in connection.execute(query.order_by(order).limit(limit)).mappings()]


def tenants(connection: Connection) -> list[str]:
    return list(connection.scalars(select(audit.c.tenant).group_by(audit.c.tenant).order_by(func.min(audit.c.tenant))))


def _of(found: RowMapping) -> AuditRow:
    deed = Deed(tenant=found["tenant"], by=found["by"], at=found["at"], what=found["what"], on=found["of"],
                facts=_facts.decode(found["facts"]))
    return AuditRow(seq=found["seq"], deed=deed, before=found["before"], hash=found["hash"])
