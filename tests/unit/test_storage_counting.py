"""A room's events are counted once, whatever was read twice or broke off."""

import pyarrow as pa  # type: ignore[import-untyped]

from monitor.adapters.storage.counting import Tally
from monitor.services.records import Series, TallyQuery

QUERY = TallyQuery(room="r", since=100, bucket_ms=10, buckets=2)


def rows(*seqs: int) -> pa.Table:
    count = len(seqs)
    return pa.table({"tenant": ["t"] * count, "room": ["r"] * count, "at": [105] * count,
                     "kind": ["comment"] * count, "seq": list(seqs)})


def test_what_was_read_in_another_segment_or_broke_off_counts_once() -> None:
    tally = Tally("t", QUERY)
    for end, parts in ((True, ((1, 1), (2,))), (False, ((3,),)), (True, ((1, 1), (3, 3))), (True, ((3,), (4,)))):
        tally.begin()
        for part in parts:
            tally.look(rows(*part).select, 1)
        if end:
            tally.end()
    assert tally.series() == [Series(kind="comment", lane=1, counts=[6, 0])]


def test_a_position_over_two_parts_of_a_segment_counts_whole() -> None:
    tally = Tally("t", QUERY)
    tally.begin()
    for part in ((5, 5), (5,)):
        tally.look(rows(*part).select, 1)
    tally.end()
    assert tally.series()[0].counts == [3, 0]


def test_only_what_may_hold_its_time_is_read() -> None:
    tally = Tally("t", QUERY)
    assert [tally.wants(119), tally.wants(120)] == [True, False]
    assert [tally.has_passed(100), tally.has_passed(99)] == [False, True]
    tally.abandoned = True
    assert tally.has_passed(110)
