"""The outbox of live updates: one row for each thing that happened to an alert, numbered by tenant."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from monitor.adapters.storage.schema import outbox
from monitor.adapters.storage.statements import insert
from monitor.domain.alerts import Alert
from monitor.services.records import Update

_last_update: Final = select(func.max(outbox.c.seq)).where(outbox.c.tenant == bindparam("tenant"))


def tell(connection: Connection, told: Sequence[tuple[str, Alert]]) -> list[Update]:
    """One outbox row for each, numbered by tenant: from what one sees, it cannot tell how much others have."""
    last = {tenant: connection.scalar(_last_update, {"tenant": tenant}) or 0
            for tenant in {alert.tenant for _, alert in told}}
    updates: list[Update] = []
    for what, alert in told:
        last[alert.tenant] += 1
        updates.append(Update(last[alert.tenant], what, alert))
    if updates:
        connection.execute(insert(connection, outbox), [
            {"tenant": u.alert.tenant, "seq": u.seq, "what": u.what, "alert_id": u.alert.id} for u in updates])
    return updates
