"""What is and was on air."""

from sqlalchemy import Connection, select

from monitor.adapters.storage.schema import broadcasts
from monitor.domain.broadcasts import Broadcast


def airing(connection: Connection, tenant: str, since: int) -> list[Broadcast]:
    """Those that run, and those that had an event since then (UTC ms)."""
    found: dict[tuple[str, str], Broadcast] = {}
    for either in (broadcasts.c.ended_at.is_(None), broadcasts.c.last_at >= since):  # an index for each
        for row in connection.execute(select(broadcasts).where(broadcasts.c.tenant == tenant, either)):
            found[row.room, row.id] = Broadcast(**row._mapping)
    return list(found.values())
