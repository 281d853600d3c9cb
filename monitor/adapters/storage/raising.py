"""Findings that come of no event: stored with their alerts and what is told of them, in one transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection

from monitor.adapters.storage.commits import save_findings, settle
from monitor.adapters.storage.outbox import tell
from monitor.domain.findings import Finding
from monitor.services.cases import Placing
from monitor.services.records import Update


def raise_found(connection: Connection, findings: Sequence[Finding], placing: Placing, now: int) -> list[Update]:
    """Those that are stored already change nothing and tell nothing."""
    placed = save_findings(connection, findings, placing, now)
    return tell(connection, list(settle(connection, placed.touched, placed.fresh, {}, placing, now).values()))
