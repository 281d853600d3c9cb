"""Rows and values: what a table keeps as columns, and what in its packed body."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
import zstandard
from msgspec.structs import replace
from sqlalchemy import RowMapping

from monitor.domain.alerts import Alert, AlertState
from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import Finding
from monitor.services.records import ContextChunk, ContextLine, Token

FAST: Final = 1
"""zstd level: what is packed here is written all the time and read rarely."""

MOVING: Final = (
    "recurrence", "last_at", "joined", "reason", "unit", "post", "priority", "version", "claimed_by", "outcome",
    "held_by", "due",
)
"""Columns that move after an alert was opened, beside its state."""

Values = dict[str, Any]

_encoder: Final = msgspec.msgpack.Encoder()
# One for the store's one writing thread: making one takes longer than using it.
_compressor: Final = zstandard.ZstdCompressor(level=FAST)
_alert: Final = msgspec.msgpack.Decoder(Alert)
_finding: Final = msgspec.msgpack.Decoder(Finding)
_lines: Final = msgspec.msgpack.Decoder(list[ContextLine])


def alert_values(alert: Alert) -> Values:
    return {
        "id": alert.id, "tenant": alert.tenant, "room": alert.room, "broadcast": alert.broadcast, "rule": alert.rule,
        "tier": alert.tier.value, "severity": alert.severity.value, "at": alert.at, "moment": alert.moment,
        "categories": _between_spaces(alert.category), "body": _encoder.encode(alert), **moving_values(alert),
    }  # fmt: skip


def moving_values(alert: Alert) -> Values:
    """What of an alert changes after it was opened."""
    return {**{name: getattr(alert, name) for name in MOVING}, "state": alert.state.value}


def queue_facts(alert: Alert) -> Values:
    """What a row of the queue says of its alert."""
    return {
        "severity": alert.severity.value, "tier": alert.tier.value, "rule": alert.rule, "room": alert.room,
        "state": alert.state.value, "claimed_by": alert.claimed_by, "unit": alert.unit,
        "categories": _between_spaces(alert.category),
    }  # fmt: skip


def _between_spaces(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "


def alert_of(row: RowMapping) -> Alert:
    """The columns that move override the body, which is the alert as it was opened; older ones have no moment there."""
    return replace(
        _alert.decode(row["body"]),
        state=AlertState(row["state"]), moment=row["moment"], **{name: row[name] for name in MOVING},
    )  # fmt: skip


def finding_values(finding: Finding, alert: str) -> Values:
    return {
        "id": finding.id, "alert_id": alert, "at": finding.at, "tenant": finding.tenant, "source": finding.source,
        "event_id": finding.event_id, "revision": finding.revision, "room": finding.room, "rule": finding.rule,
        "body": _encoder.encode(finding),
    }  # fmt: skip


def finding_of(body: bytes) -> Finding:
    return _finding.decode(body)


def broadcast_values(broadcast: Broadcast) -> Values:
    return {
        "tenant": broadcast.tenant, "id": broadcast.id, "room": broadcast.room, "named": broadcast.named,
        "started_at": broadcast.started_at, "last_at": broadcast.last_at, "ended_at": broadcast.ended_at,
        "why_ended": broadcast.why_ended, "heard_at": broadcast.heard_at,
    }  # fmt: skip


def chunk_values(chunk: ContextChunk) -> Values:
    lines = _encoder.encode(chunk.lines)
    return {
        "tenant": chunk.tenant, "room": chunk.room, "lane": chunk.lane, "first_seq": chunk.first_seq,
        "digest": blake2b(lines, digest_size=8).digest(), "from_at": chunk.from_at, "to_at": chunk.to_at,
        "body": _compressor.compress(lines),
    }  # fmt: skip


def lines_of(body: bytes) -> list[ContextLine]:
    return _lines.decode(zstandard.ZstdDecompressor().decompress(body))


def token_of(row: RowMapping) -> Token:
    return Token(**row)
