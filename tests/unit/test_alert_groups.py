"""Which findings share an alert."""

import pytest

from monitor.domain.alerts import Grouping, GroupingSettings
from monitor.domain.ids import alert_id, digest, event_key, finding_id

SETTINGS = GroupingSettings(gap_ms=60_000, longest_ms=600_000)


class Placing:
    def __init__(self) -> None:
        self.grouping = Grouping()

    def __call__(self, finding: str, at: int, *, rule: str = "r", room: str = "a", broadcast: str = "b",
                 event: str = "", speaker: str = "") -> str:
        return self.grouping.place(
            tenant="t", room=room, rule=rule, broadcast=broadcast, speaker=speaker, source="s",
            event_id=event or finding, finding=finding, at=at, seen_at=at, settings=SETTINGS)


def test_findings_within_the_gap_share_an_alert_however_they_arrive() -> None:
    place = Placing()
    assert place("f1", 100_000) == "f1"
    assert place("f2", 160_000) == "f1"
    assert place("f3", 40_000) == "f1"  # earlier, arrives later: joins, and does not become the opener
    assert place("f4", 220_001) == "f4"


@pytest.mark.parametrize("other", [{"rule": "q"}, {"room": "z"}, {"broadcast": "c"}, {"speaker": "v"}])
def test_other_rules_rooms_broadcasts_do_not(other: dict[str, str]) -> None:
    place = Placing()
    place("f1", 0)
    assert place("f2", 1, **other) == "f2"


def test_an_alert_has_an_upper_end() -> None:
    place = Placing()
    for n in range(11):
        assert place(f"f{n}", n * 60_000) == "f0"
    assert place("late", 11 * 60_000) == "late"


def test_the_same_finding_again_changes_nothing() -> None:
    place = Placing()
    place("f1", 0)
    place("f1", 0)
    (group,) = place.grouping.groups.values()
    assert group.findings == {("s", "f1"): ["f1"]}


def test_a_revision_takes_its_findings_away_and_an_empty_group_closes() -> None:
    place = Placing()
    place("old", 0, event="e")
    place.grouping.withdraw("t", "a", "s", "e", keep=frozenset())
    assert not place.grouping.groups
    assert place("next", 1) == "next"


def test_a_violation_that_stands_in_the_new_revision_keeps_its_alert() -> None:
    place = Placing()
    place("old", 0, event="e")
    assert place("new", 0, event="e") == "old"
    place.grouping.withdraw("t", "a", "s", "e", keep=frozenset(("new",)))
    assert place("next", 1) == "old"


def test_prune_drops_what_nothing_can_join() -> None:
    place = Placing()
    place("f1", 0)
    place.grouping.prune(before=0)
    assert place.grouping.groups
    place.grouping.prune(before=1)
    assert not place.grouping.groups


def test_ids_are_derived_and_never_collide_by_concatenation() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    key = event_key("t", "s", "e", 1)
    assert key == event_key("t", "s", "e", 1) != event_key("t", "s", "e", 2)
    assert alert_id(finding_id("t", "r", key)) != finding_id("t", "r", key)
    assert len(key) == 24
