"""Ledgers over the posts in memory."""

from monitor.domain.ledgers import Entry, belongs
from monitor.services.ledgers import LedgerFilter, LedgerPage
from tests.fakes.posts import MemoryPosts


class MemoryLedgers:
    """Implements `Ledgers`."""

    def __init__(self, posts: MemoryPosts) -> None:
        self._posts = posts

    async def entries(self, tenant: str, where: LedgerFilter, *, cursor: str | None, limit: int) -> LedgerPage:
        found = [Entry(alert=case.alert, review=case.review, corrected=case.kept.corrected, kind=case.kept.kind,
                       role=case.kept.role)
                 for (of, _), case in self._posts.cases.items()
                 if of == tenant and belongs(where.ledger, case.alert)
                 and (where.since is None or case.alert.at >= where.since)
                 and (where.until is None or case.alert.at < where.until)
                 and (where.units is None or case.alert.unit in where.units)]
        return LedgerPage(sorted(found, key=lambda entry: (entry.alert.at, entry.alert.id))[:limit], None)
