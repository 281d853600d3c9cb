"""A web node follows the outbox: everything once, in order, also what others write, and also after a crash of the
database."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.hub import SseHub
from monitor.domain.cues import Cue
from monitor.domain.errors import StorageError
from monitor.services.following import OutboxFollower, follow_cues
from monitor.services.records import Update
from tests.functional.fakes import alert as an_alert


class Outbox:
    """Rows by tenant."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Update]] = {}

    def write(self, tenant: str, many: int, what: str = "opened") -> None:
        rows = self.rows.setdefault(tenant, [])
        for _ in range(many):
            rows.append(Update(len(rows) + 1, what, msgspec.structs.replace(an_alert(), tenant=tenant)))

    async def outbox_ends(self) -> dict[str, int]:
        return {tenant: len(rows) for tenant, rows in self.rows.items() if rows}

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]:
        return self.rows[tenant][after : after + limit]


class Heard:
    def __init__(self) -> None:
        self.seqs: list[tuple[str, int, str]] = []
        self.back: list[tuple[str, int]] = []

    def publish(self, updates: Sequence[Update]) -> None:
        self.seqs += [(u.alert.tenant, u.seq, u.what) for u in updates]


async def test_each_update_once_whoever_wrote_it() -> None:
    outbox, heard = Outbox(), Heard()
    outbox.write("local", 3)
    follower = OutboxFollower(outbox, heard, {"local": 2})
    await follower.look()
    outbox.write("street", 2)
    outbox.write("local", 2_500)
    await follower.look()
    assert [seq for tenant, seq, _ in heard.seqs if tenant == "local"] == list(range(3, 2_504))
    await follower.look()
    assert [seq for tenant, seq, _ in heard.seqs if tenant == "street"] == [1, 2]
    assert len(heard.seqs) == 2_503


async def test_numbers_that_are_given_anew_after_a_crash() -> None:
    outbox, heard = Outbox(), Heard()
    outbox.write("local", 10)
    follower = OutboxFollower(outbox, heard, {"local": 10},
                              stepped_back=lambda tenant, end: heard.back.append((tenant, end)))
    outbox.rows["local"] = outbox.rows["local"][:6]
    outbox.write("local", 1, "grown")
    await follower.look()
    assert heard.back == [("local", 7)]
    outbox.write("local", 2, "withdrawn")
    await follower.look()
    assert heard.seqs == [("local", 8, "withdrawn"), ("local", 9, "withdrawn")]
    outbox.rows["local"] = []
    await follower.look()
    assert heard.back[1:] == [("local", 0)]


def test_whoever_heard_of_what_is_lost_reads_anew() -> None:
    hub = SseHub(PrometheusTelemetry(), last={"local": 10})
    alert = msgspec.structs.replace(an_alert(), tenant="local")
    listening = hub.subscribe("local", None)
    hub.publish([Update(11, "opened", alert), Update(12, "opened", alert)])
    hub.step_back("local", 11)
    assert listening.end == "closed"
    assert not hub.subscribe("local", 12).complete
    assert not hub.subscribe("local", 10).complete
    again = hub.subscribe("local", 11)
    hub.publish([Update(12, "grown", alert)])
    assert again.complete and [sent.seq for sent in again._queue] == [12]


class Cues:
    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.refuse = True

    async def told_since(self, tenant: str, at: int) -> list[Cue]:
        self.asked.append((tenant, at))
        if self.refuse:
            self.refuse = False
            raise StorageError("away")
        return [Cue(id="c", tenant=tenant, room="r", broadcast="b", alert="a", by="li", at=at, say="x")]


class Stop(Exception):
    pass


async def test_cues_are_looked_for_again_where_the_store_refused() -> None:
    cues, clock, watched = Cues(), iter(range(100_000, 200_000, 1_000)), []

    class Clock:
        def now(self) -> int:
            return next(clock)

    def watch(cue: Cue) -> None:
        watched.append(cue.at)
        if len(watched) == 2:
            raise Stop

    with suppress(Stop):
        await follow_cues(cues, lambda: ["local"], watch, Clock(), every_s=0, overlap_ms=10_000)
    assert [at for _, at in cues.asked] == [90_000, 90_000, 92_000]
    assert watched == [90_000, 92_000]
