"""Derived ids: the same input gives the same id, on every machine and after every restart."""

from collections.abc import Sequence
from hashlib import blake2b


def digest(*parts: str | int) -> str:
    """24 hex characters of BLAKE2b over the parts, each with its length so that no two lists collide."""
    encoded = [str(part).encode() for part in parts]
    data = b"".join([piece for part in encoded for piece in (len(part).to_bytes(4, "big"), part)])
    return blake2b(data, digest_size=12).hexdigest()


def event_key(tenant: str, source: str, event_id: str, revision: int) -> str:
    return digest("event", tenant, source, event_id, revision)


def finding_id(tenant: str, rule: str, subject: str) -> str:
    """`subject`: an event's key, or what stands for one (DESIGN: windows, absences, facts about a broadcast)."""
    return digest("finding", tenant, rule, subject)


def window_subject(event_keys: Sequence[str]) -> str:
    """The subject of a finding over several events, in their order."""
    return digest("window", *event_keys)


def alert_id(opening_finding: str) -> str:
    return digest("alert", opening_finding)


def moment_id(tenant: str, room: str, source: str, event_id: str) -> str:
    """`event_id`: of the event that the opening finding is shown with, or the finding's own id where it has none."""
    return digest("moment", tenant, room, source, event_id)


def ruling_key(tenant: str, room: str, broadcast: str, rule: str, role: str, wording: str) -> str:
    """The same rule on the same words by the same role in one broadcast. `wording`: the whole text, folded."""
    return digest("ruling", tenant, room, broadcast, rule, role, wording)


def wording_key(tenant: str, rule: str, wording: str) -> str:
    """The same rule on the same words, whoever says them, in any room. `wording`: the whole text, folded."""
    return digest("wording", tenant, rule, wording)


def broadcast_id(tenant: str, room: str, started_at: int) -> str:
    """For a broadcast that no source named. `started_at`: UTC ms of its first event."""
    return "b" + digest("broadcast", tenant, room, started_at)


def derived_event_id(
    source: str, broadcast: str, kind: str, offset_ms: int | None, speaker: str, text: str, ordinal: int
) -> str:
    """For a source without ids. `ordinal` numbers what is equal in all else, so a file sent twice changes nothing."""
    return "d" + digest(source, broadcast, kind, -1 if offset_ms is None else offset_ms, speaker, text, ordinal)
