"""The store port on a database."""

import asyncio
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

import zstandard
from msgspec.structs import replace
from sqlalchemy import Connection

from monitor.adapters.storage import labels as label_rows
from monitor.adapters.storage import queries, shadows, trail
from monitor.adapters.storage.alerts import evidence, page
from monitor.adapters.storage.commits import apply
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import FAST
from monitor.domain.audit import Deed
from monitor.domain.labels import Label, Withdrawn
from monitor.services.cases import Placing
from monitor.services.dispatch import UNPLACED
from monitor.services.ports import FailPoint
from monitor.services.records import (
    AlertFilter,
    AlertPage,
    Commit,
    Evidence,
    LabelFilter,
    LabelPage,
    OpenAlerts,
    Position,
    RoomPage,
    Saved,
    ShadowRule,
    Snapshot,
    Token,
    Update,
)


class SqlStore:
    """`await SqlStore.open(path)`. Raises what the port says and, on opening, NewerFormat and ConfigError."""

    def __init__(self, database: Database, *, failpoint: FailPoint = lambda name, events=0: None) -> None:
        self._database = database
        self._judged = partial(failpoint, "judged")
        self._committed = partial(failpoint, "committed")

    @classmethod
    async def open(cls, path: Path, *, failpoint: FailPoint = lambda name, events=0: None) -> "SqlStore":
        return cls(await Database.open(path), failpoint=failpoint)

    async def claim(self, lane: int) -> Position:
        return await self._database.run(lambda connection: queries.claim(connection, lane))

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        return await self._database.run(
            lambda connection: apply(connection, commits, placing), before=self._judged, after=self._committed
        )

    async def save_snapshots(self, snapshots: Sequence[tuple[Snapshot, int]]) -> None:
        def packed() -> list[tuple[Snapshot, int]]:
            pack = zstandard.ZstdCompressor(level=FAST).compress
            return [(replace(snapshot, state=pack(snapshot.state)), epoch) for snapshot, epoch in snapshots]

        stored = await asyncio.to_thread(packed)

        def save(connection: Connection) -> None:
            for snapshot, epoch in stored:
                queries.save_snapshot(connection, snapshot, epoch)

        await self._database.run(save)

    async def snapshot(self, lane: int) -> Snapshot | None:
        def load(connection: Connection) -> Snapshot | None:
            found = queries.snapshot(connection, lane)
            return found and replace(found, state=zstandard.ZstdDecompressor().decompress(found.state))

        return await self._database.read(load)

    async def positions(self) -> list[Position]:
        return await self._database.read(queries.all_positions)

    async def alerts(self, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
        return await self._database.read(lambda connection: page(connection, tenant, where, cursor=cursor, limit=limit))

    async def evidence(self, tenant: str, alert: str) -> Evidence | None:
        return await self._database.read(lambda connection: evidence(connection, tenant, alert))

    async def rooms(self, tenant: str, *, live_since: int, cursor: str | None, limit: int,
                    only: Collection[str] | None = None) -> RoomPage:
        return await self._database.read(
            lambda connection: queries.rooms(connection, tenant, live_since, cursor, limit, only))

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]:
        return await self._database.read(lambda connection: queries.updates(connection, tenant, after, limit))

    async def open_alerts(self) -> list[OpenAlerts]:
        return await self._database.read(queries.open_alerts)

    async def outbox_bounds(self, tenant: str) -> tuple[int, int]:
        return await self._database.read(lambda connection: queries.outbox_bounds(connection, tenant))

    async def outbox_ends(self) -> dict[str, int]:
        return await self._database.read(queries.outbox_ends)

    async def trim_outbox(self, *, keep: int) -> int:
        return await self._database.run(lambda connection: queries.trim_outbox(connection, keep))

    async def rule_set(self, version: str) -> bytes | None:
        return await self._database.read(lambda connection: queries.rule_set(connection, version))

    async def save_rule_set(self, version: str, sources: bytes, tried: Sequence[ShadowRule] = ()) -> None:
        def save(connection: Connection) -> None:
            queries.save_rule_set(connection, version, sources)
            shadows.begin(connection, tried)

        # The log may name this version as soon as this returns, and the log survives a power cut.
        await self._database.run(save, durable=True)

    async def save_labels(self, tenant: str, labels: Sequence[Label], deeds: Sequence[Deed] = ()) -> Saved:
        def save(connection: Connection) -> Saved:
            saved = label_rows.save(connection, tenant, labels)
            trail.append(connection, deeds if saved.added or saved.changed else ())
            return saved

        return await self._database.run(save, durable=True)

    async def withdraw_label(
        self, tenant: str, label: str, withdrawn: Withdrawn, deeds: Sequence[Deed] = ()
    ) -> Label | None:
        def withdraw(connection: Connection) -> Label | None:
            left = label_rows.withdraw(connection, tenant, label, withdrawn)
            trail.append(connection, deeds if left is not None and left.withdrawn == withdrawn else ())
            return left

        return await self._database.run(withdraw, durable=True)

    async def labels(self, tenant: str, where: LabelFilter, *, cursor: str | None, limit: int) -> LabelPage:
        return await self._database.read(
            lambda connection: label_rows.page(connection, tenant, where, cursor=cursor, limit=limit))

    async def tokens(self) -> list[Token]:
        return await self._database.read(queries.all_tokens)

    async def save_token(self, token: Token, deeds: Sequence[Deed] = ()) -> None:
        def save(connection: Connection) -> None:
            queries.save_token(connection, token)
            trail.append(connection, deeds)

        await self._database.run(save, durable=True)  # a power cut must not bring a revoked token back

    async def backup(self, path: Path) -> None:
        """A consistent copy as a new file, while writes go on. Raises ConfigError where `path` exists."""
        await self._database.backup(path)

    async def close(self) -> None:
        await self._database.close()
