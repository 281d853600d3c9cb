"""What became of a stream, as the service shows and stores it; and what must be true of it however it came about."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import asdict

from tests.faults.comparing import differences
from tests.faults.harness import Batch, Client, Item, Listener, key_of, outbox, stored_findings
from tests.faults.streams import expected


class Outcome(Struct):
    """`findings`: finding → (alert, whether it stands). `archive`: by (event, revision)."""

    alerts: dict[str, Item]
    findings: dict[str, tuple[str, bool]]
    archive: dict[tuple[str, int], Item]


_OF_PEOPLE = frozenset(("unit", "post", "priority", "version", "claimed_by", "outcome", "held_by", "due"))
"""What dispatch says of an alert from when it is committed: clocks and storms go by the time of that, not by the log;
so do state and reason (held, overdue, escalated) of every alert that stands."""


async def outcome_of(client: Client) -> Outcome:
    """Call it once everything is judged."""
    found = {name: _found(alert) for name, alert in (await client.alerts()).items()}
    return Outcome(found, stored_findings(client.server.data), await client.archive())


def _found(alert: Item) -> Item:
    """What is a function of the log."""
    kept = {name: value for name, value in alert.items() if name not in _OF_PEOPLE}
    return kept if alert["state"] == "withdrawn" else {**kept, "state": "open", "reason": ""}


def same(mine: Outcome, its: Outcome) -> None:
    """Two runs over one stream came to the same."""
    parted = list(differences(asdict(mine), asdict(its), ""))
    assert not parted, "; ".join(parted)[:4_000]


def check(outcome: Outcome, batches: Sequence[Batch]) -> None:
    """Every event was judged and kept, once; findings, alerts and recurrence are those of a plain pass."""
    plain = expected(batches)
    assert {finding: alert for finding, (alert, _) in outcome.findings.items()} == plain.findings
    standing = Counter(alert for alert, stands in outcome.findings.values() if stands)
    open_alerts = {name: alert for name, alert in outcome.alerts.items() if alert["state"] == "open"}
    assert {name: alert["recurrence"] for name, alert in open_alerts.items()} == dict(standing)
    assert set(open_alerts) == set(plain.alerts)
    assert set(outcome.alerts) == set(plain.findings.values())
    for name, alert in outcome.alerts.items():
        assert (alert["recurrence"] == 0) == (alert["state"] == "withdrawn") == (name not in plain.alerts)
    assert set(outcome.archive) == {key_of(item) for batch in batches for item in batch}
    assert not any(event["sampled_out"] for event in outcome.archive.values())


def check_heard(listener: Listener, client: Client, outcome: Outcome) -> None:
    """Each update once and in order, unless the service said that some are lost (`reset`)."""
    numbers = [number for number, _, _ in listener.heard]
    assert numbers == sorted(set(numbers))
    opened = [alert for _, what, alert in listener.heard if what == "opened"]
    assert len(opened) == len(set(opened))
    if not listener.resets:
        written = [number for number, _, _ in outbox(client.server.data)]  # of clocks it may have more by now
        assert numbers == written[: len(numbers)]
        assert {alert for _, _, alert in listener.heard} == set(outcome.alerts)
