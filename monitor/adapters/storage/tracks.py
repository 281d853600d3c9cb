"""How often decisions bore each rule out, kept up with each of them."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from monitor.adapters.storage.schema_post import tracks
from monitor.adapters.storage.statements import insert
from monitor.domain.cues import EARNED_DECISIONS, Track, counted, earned
from monitor.domain.review import Review
from monitor.services.cases import Case


def tally(connection: Connection, changed: Sequence[tuple[Case, Case]]) -> None:
    """(before, after) of each case that moved."""
    rows: dict[tuple[str, str], Track] = {}
    for before, after in changed:
        key = (after.alert.tenant, after.alert.rule)
        known, was, now = rows.get(key, Track()), _counted(before.review), _counted(after.review)
        rows[key] = Track(known.violations + now.violations - was.violations,
                          known.decisions + now.decisions - was.decisions)
    values = [{"tenant": tenant, "rule": rule, "violations": more.violations, "decisions": more.decisions}
              for (tenant, rule), more in rows.items() if more != Track()]
    if values:
        statement = insert(connection, tracks)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[tracks.c.tenant, tracks.c.rule],
                set_={name: tracks.c[name] + statement.excluded[name] for name in ("violations", "decisions")}),
            values)


def track(connection: Connection, tenant: str, rule: str) -> Track:
    row = connection.execute(select(tracks).where(tracks.c.tenant == tenant, tracks.c.rule == rule)).first()
    return Track() if row is None else Track(row.violations, row.decisions)


def every_earned(connection: Connection) -> set[tuple[str, str]]:
    """(tenant, rule) of those that may cue by themselves."""
    rows = connection.execute(select(tracks).where(tracks.c.decisions >= EARNED_DECISIONS))
    return {(row.tenant, row.rule) for row in rows if earned(Track(row.violations, row.decisions))}


def _counted(review: Review) -> Track:
    return counted(None if review.ruling is None else review.ruling.outcome)
