"""The hub: what is published reaches those who want it, once, in order, and never more than fits."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from monitor.adapters.web.hub import HubLimits, SseHub, Subscription, Wanted, encode
from monitor.adapters.web.sse import Writer
from monitor.domain.errors import BusyError
from monitor.domain.findings import Severity
from monitor.services.records import Update
from tests.functional.fakes import alert


class Counts:
    def __init__(self) -> None:
        self.counted: list[str] = []
        self.gauges: dict[str, float] = {}

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None:
        self.counted.append(metric)

    def observe(self, metric: str, value: float, /, **labels: str) -> None:
        raise AssertionError(metric)

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        self.gauges[metric] = value


def updates(*numbers: int, **other: Any) -> list[Update]:
    return [Update(n, "opened", alert(n, **other)) for n in numbers]


SIZE = len(encode(updates(1)[0]).data)


async def seqs(client: Subscription) -> list[int]:
    return [sent.seq for sent in await client.take(within=0)]


async def test_each_tenant_hears_its_own_in_order() -> None:
    hub = SseHub(Counts())
    mine, theirs = hub.subscribe("agency", None, Wanted(who="wang")), hub.subscribe("other", None)
    assert hub.listening() == {"agency": {"wang"}, "other": {""}}
    hub.publish([*updates(1, 2), *updates(1, tenant="other"), *updates(3)])
    assert (await seqs(mine), await seqs(theirs)) == ([1, 2, 3], [1])
    assert await seqs(mine) == []


async def test_nobody_is_given_what_others_missed() -> None:
    hub = SseHub(Counts())
    hub.publish([*updates(1), *updates(7, tenant="other"), *updates(2)])
    assert [sent.seq for sent in hub.subscribe("agency", 0).replay] == [1, 2]
    assert [sent.seq for sent in hub.subscribe("other", 0).replay] == [7]
    assert [hub.subscribe(tenant, None).start for tenant in ("agency", "other", "third")] == [2, 7, 0]


async def test_what_others_pushed_out_of_memory_is_incomplete_for_nobody_else() -> None:
    hub = SseHub(Counts(), limits=HubLimits(history=3))
    hub.publish([*updates(1, tenant="other"), *updates(1), *updates(2, 3, tenant="other")])
    assert hub.subscribe("agency", 0).complete and not hub.subscribe("other", 0).complete


async def test_all_clients_share_one_encoding() -> None:
    hub = SseHub(Counts())
    clients = [hub.subscribe("agency", None) for _ in range(3)]
    hub.publish(updates(1))
    taken = [(await client.take(within=0))[0] for client in clients]
    assert taken[0].data is taken[1].data is taken[2].data
    again = hub.subscribe("agency", 0)
    assert again.replay[0].data is taken[0].data
    assert taken[0].data.startswith(b'id: 1\nevent: alert\ndata: {"what":"opened","alert":{')
    assert taken[0].data.endswith(b"}\n\n") and taken[0].data.count(b"\n") == 4


async def test_text_cannot_break_out_of_its_line() -> None:
    hub = SseHub(Counts())
    client = hub.subscribe("agency", None)
    hub.publish(updates(1, text="a\n\nevent: reset\r\ndata: 全网最好"))
    (sent,) = await client.take(within=0)
    assert sent.data.count(b"\n") == 4 and b"\r" not in sent.data


@pytest.mark.parametrize(
    "after, complete, replay",
    [(0, True, [1, 2, 3]), (1, True, [2, 3]), (3, True, []), (4, False, []), (99, False, [])],
)
async def test_what_was_missed_is_remembered(after: int, complete: bool, replay: list[int]) -> None:
    hub = SseHub(Counts())
    hub.publish(updates(1, 2, 3))
    client = hub.subscribe("agency", after)
    assert (client.complete, [sent.seq for sent in client.replay], client.start) == (complete, replay, 3)


@pytest.mark.parametrize("limits", [HubLimits(history=2), HubLimits(history_bytes=2 * SIZE + 10)])
async def test_memory_is_bounded_and_knows_where_it_ends(limits: HubLimits) -> None:
    hub = SseHub(Counts(), limits=limits)
    hub.publish(updates(*range(1, 11)))
    assert [hub.subscribe("agency", after).complete for after in (0, 7, 8, 9, 10)] == [False, False, True, True, True]
    assert [sent.seq for sent in hub.subscribe("agency", 8).replay] == [9, 10]


async def test_memory_begins_where_the_outbox_stood() -> None:
    hub = SseHub(Counts(), last={"agency": 5})
    assert [hub.subscribe("agency", after).complete for after in (4, 5)] == [False, True]
    hub.begin({"agency": 8})
    assert hub.last("agency") == 8 and not hub.subscribe("agency", 5).complete
    hub.publish(updates(9))
    hub.begin({"agency": 20})  # too late: it would hide what passed through
    assert hub.last("agency") == 9 and [sent.seq for sent in hub.subscribe("agency", 8).replay] == [9]


@pytest.mark.parametrize("limits", [HubLimits(queue=3), HubLimits(queue_bytes=3 * SIZE + 10)])
async def test_a_slow_client_is_cut_off_and_the_others_are_not(limits: HubLimits) -> None:
    counts, cut = Counts(), []
    hub = SseHub(counts, limits=limits)
    slow, good = hub.subscribe("agency", None), hub.subscribe("agency", None)
    slow.cut = lambda: cut.append("slow")
    heard = []
    for number in range(1, 8):
        hub.publish(updates(number))
        heard += await seqs(good)
    assert heard == list(range(1, 8))
    assert (slow.end, cut, good.end) == ("slow", ["slow"], "")
    assert counts.counted == ["sse_dropped_total"] and counts.gauges == {"sse_clients": 1}
    assert await seqs(slow) == []


async def test_what_a_client_does_not_want_does_not_fill_its_queue() -> None:
    hub = SseHub(Counts(), limits=HubLimits(queue=1))
    client = hub.subscribe("agency", None, Wanted(severity="critical"))
    hub.publish(updates(*range(1, 10)))
    hub.publish(updates(10, severity=Severity.CRITICAL))
    assert await seqs(client) == [10] and client.end == ""


@pytest.mark.parametrize(
    "wanted, matches",
    [
        (Wanted(), True), (Wanted(room="r1"), True), (Wanted(room="r2"), False), (Wanted(severity="high"), True),
        (Wanted(severity="low"), False), (Wanted(category="absolute_claim"), True), (Wanted(category="x"), False),
        (Wanted(room="r1", severity="low"), False),
    ],
)
def test_filters(wanted: Wanted, matches: bool) -> None:
    assert wanted.matches(alert(1)) is matches


async def test_a_waiting_client_wakes_up() -> None:
    hub = SseHub(Counts())
    client = hub.subscribe("agency", None)
    waiting = asyncio.create_task(client.take(within=60))
    await asyncio.sleep(0)
    hub.publish(updates(1))
    assert [sent.seq for sent in await waiting] == [1]


async def test_what_was_handed_over_otherwise_is_skipped() -> None:
    hub = SseHub(Counts())
    client = hub.subscribe("agency", None)
    hub.publish(updates(1, 2, 3))
    client.seen = 2
    assert await seqs(client) == [3]


def leave(hub: SseHub, client: Subscription) -> None:
    client.leave()


def close(hub: SseHub, client: Subscription) -> None:
    hub.close()


@pytest.mark.parametrize("how, end", [(leave, ""), (close, "closed")])
async def test_clients_leave_once_and_are_counted(how: Callable[[SseHub, Subscription], None], end: str) -> None:
    counts = Counts()
    hub = SseHub(counts, limits=HubLimits(clients=2))
    assert counts.gauges == {"sse_clients": 0}
    first, second = hub.subscribe("agency", None), hub.subscribe("other", None)
    with pytest.raises(BusyError):
        hub.subscribe("third", None)
    how(hub, first)
    assert first.end == end
    for client in (first, first, second):
        client.leave()
    assert counts.gauges == {"sse_clients": 0}
    hub.publish(updates(1))
    assert await seqs(first) == []
    if not end:
        hub.subscribe("third", None)


async def test_little_is_copied_at_once_for_a_client_that_may_not_read() -> None:
    written: list[bytes] = []

    class Noted(Writer):
        def __init__(self) -> None:
            """Without a connection."""

        async def write(self, data: bytes) -> None:
            written.append(data)

    pieces = [bytes([n]) * 1_000 for n in range(200)]
    await Noted().write_all(pieces)
    assert b"".join(written) == b"".join(pieces)
    assert max(map(len, written)) <= 2**16 + 1_000
