"""Labels in: read, masked as everything is that is derived of events, and kept under their tenant; and taken back."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.audit import Deed
from monitor.domain.decoding import Limits
from monitor.domain.errors import NotFound
from monitor.domain.labels import Label, Withdrawn, decode_labels, label_id
from monitor.domain.masking import mask_text
from monitor.domain.rejections import Rejected
from monitor.engine.patterns import contacts
from monitor.engine.views import Views, ViewTables
from monitor.services.classifying import Line, batches
from monitor.services.ports import Clock, Store
from monitor.services.records import LabelFilter, Saved

_PAGE: Final = 1_000


class LabelReceipt(Struct, frozen=True):
    """What became of a body. `rejected` is cut after the first ones, `rejected_total` counts all."""

    added: int
    changed: int
    unchanged: int
    rejected: list[Rejected]
    rejected_total: int

    @property
    def readable(self) -> bool:
        """False where nothing in the body could be read."""
        return not self.rejected_total or bool(self.added + self.changed + self.unchanged)


class Labelling:
    """The labels of all tenants, each apart."""

    def __init__(self, store: Store, tables: ViewTables, clock: Clock) -> None:
        self._store, self._tables, self._clock = store, tables, clock

    async def take(self, tenant: str, body: bytes, limits: Limits, *, by: str) -> LabelReceipt:
        """NDJSON or a JSON array; returns once all that is accepted is on disk. `by`: for labels that do not say.

        Raises StorageError where the disk refuses; nothing is kept then.
        """
        read = await asyncio.to_thread(decode_labels, body, limits, now=self._clock.now())
        saved = await self.keep(tenant, read.labels, by=by)
        return LabelReceipt(saved.added, saved.changed, saved.unchanged, read.rejected, read.rejected_total)

    async def keep(self, tenant: str, labels: Sequence[Label], *, by: str) -> Saved:
        """Mask them, give id, time and author to those without, and store them."""
        now = self._clock.now()
        texts = await asyncio.to_thread(masked, labels, self._tables)
        whole = []
        for label, text in zip(labels, texts, strict=True):
            told = msgspec.structs.replace(label, text=text, at=label.at or now, by=label.by or by)
            whole.append(msgspec.structs.replace(told, id=told.id or label_id(told)))
        deed = Deed(tenant=tenant, by=by or "loopback", at=now, what="labels.give", on="labels",
                    facts={"labels": len(whole)})
        return await self._store.save_labels(tenant, whole, [deed]) if whole else Saved(0, 0, 0)

    async def withdraw(self, tenant: str, label: str, *, by: str, reason: str = "") -> Label:
        """The label of this id teaches nothing from now on, but stays with who took it back and why.

        Raises NotFound where the tenant has none of this id.
        """
        now = self._clock.now()
        deed = Deed(tenant=tenant, by=by, at=now, what="label.withdraw", on=label[:256], facts={"reason": reason})
        found = await self._store.withdraw_label(tenant, label, Withdrawn(by=by, at=now, reason=reason), [deed])
        if found is None:
            raise NotFound(f"there is no label {label[:80]!r} of the tenant {tenant}",
                           hint="GET /api/v1/labels or `redpost labels export` lists them with their ids")
        return found


async def every_label(store: Store, tenant: str) -> list[Label]:
    """All of a tenant that stand, newest first."""
    found: list[Label] = []
    cursor: str | None = None
    while True:
        page = await store.labels(tenant, LabelFilter(), cursor=cursor, limit=_PAGE)
        found += [label for label in page.labels if label.withdrawn is None]
        cursor = page.next
        if cursor is None:
            return found


def masked(lines: Sequence[Line], tables: ViewTables) -> list[str]:
    """Their texts without contact data, one `*` for each code point of it."""
    texts = [line.text for line in lines]
    spans: dict[int, list[tuple[int, int]]] = {}
    first = 0
    for batch in batches(lines):
        for contact in contacts(Views(tables, batch.text), batch.starts.tolist()):
            if contact.masked:
                spans.setdefault(first + contact.event, []).append((contact.start, contact.end))
        first += len(batch)
    for i, found in spans.items():
        texts[i] = mask_text(texts[i], found)
    return texts
