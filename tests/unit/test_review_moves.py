"""The state machine of a review: every state with every move, and what holds whatever several people do."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from monitor.adapters.recordfiles import read_folder
from monitor.domain.alerts import LIVE, AlertState
from monitor.domain.clocks import Clocks, Limit
from monitor.domain.errors import Refused
from monitor.domain.findings import Severity, Tier
from monitor.domain.lapsing import overdue
from monitor.domain.moves import (
    AnyMove,
    Claim,
    Close,
    Decide,
    Escalate,
    HandOver,
    Note,
    Outcome,
    Reason,
    Rectify,
    Release,
    Remedy,
    Reopen,
    Undo,
)
from monitor.domain.review import UNDO_MS, Above, Asked, Review, Ruling, Subject, step

NOW = 1_795_435_200_000
REASONS = {name: record for (_, name), record in read_folder(Path(__file__).parents[2] / "config" / "post").items()
           if isinstance(record, Reason)}
SUBJECT = Subject(severity=Severity.HIGH, tier=Tier.REDLINE, category=("absolute_claim", "medical"),
                  clauses=("AD-09-3",))
CARE = replace(SUBJECT, tier=Tier.CARE, category=(), clauses=())
BRANCH, AGENCY = Clocks(), Clocks(limits={Severity.HIGH: Limit(600, 3_600)})
RULING = Ruling(outcome=Outcome.VIOLATION, reason="as_found", by="wang", at=NOW)

VIOLATION = Decide(outcome=Outcome.VIOLATION, reason="as_found")
LAWFUL = Decide(outcome=Outcome.NO_VIOLATION, reason="lawful_context")
EXEMPT = Decide(outcome=Outcome.EXEMPT, reason="legal_exemption", clause="AD-09-3", proof="证 17 号")
UNCLEAR = Decide(outcome=Outcome.UNCLEAR, reason="needs_second")

STATES = {
    "open": Review(),
    "held": Review(state=AlertState.HELD, why="silenced", by_what="s1"),
    "claimed": Review(state=AlertState.CLAIMED, claimed_by="wang", lease_until=NOW + 60_000),
    "claimed, escalated before": Review(state=AlertState.CLAIMED, claimed_by="wang", lease_until=NOW + 60_000,
                                        resumes=AlertState.ESCALATED, level="east"),
    "escalated": Review(state=AlertState.ESCALATED, resumes=AlertState.ESCALATED, level="east"),
    "violation": Review(state=AlertState.VIOLATION, ruling=RULING, before=Review(), undo_until=NOW + UNDO_MS),
    "rectified": Review(state=AlertState.RECTIFIED, ruling=RULING),
    "closed": Review(state=AlertState.CLOSED, ruling=RULING, before=Review(state=AlertState.ESCALATED),
                     undo_until=NOW + UNDO_MS),
    "withdrawn": Review(state=AlertState.WITHDRAWN, why="revised"),
}
MOVES: dict[str, AnyMove] = {
    "claim": Claim(), "release": Release(), "hand over": HandOver(to="zhao"), "escalate": Escalate(note="请上级看"),
    "violation": VIOLATION, "no violation": LAWFUL, "exempt": EXEMPT, "unclear": UNCLEAR,
    "rectify": Rectify(remedy=Remedy.MUTED), "close": Close(), "reopen": Reopen(note="重看"), "undo": Undo(),
    "note": Note(note="记一笔"),
}
# What each move makes of each state; "-": it is refused. In the order of STATES.
TABLE = """
              open       held       claimed    claimed+   escalated  violation  rectified  closed     withdrawn
claim         claimed    -          claimed    claimed    claimed    -          -          -          -
release       -          open       open       escalated  -          -          -          -          -
hand over     -          -          claimed    claimed    -          -          -          -          -
escalate      escalated  -          escalated  escalated  -          -          -          -          -
violation     violation  violation  violation  violation  violation  -          -          -          -
no violation  closed     closed     closed     closed     closed     -          -          -          -
exempt        closed     closed     closed     closed     closed     -          -          -          -
unclear       open       -          open       escalated  escalated  -          -          -          -
rectify       -          -          -          -          -          rectified  rectified  -          -
close         -          -          -          -          -          closed     closed     -          -
reopen        -          -          -          -          -          open       open       open       -
undo          -          -          -          -          -          open       -          escalated  -
note          open       held       claimed    claimed    escalated  violation  rectified  closed     withdrawn
"""


def _cells() -> list[tuple[str, str, str]]:
    rows = [line.split("  ") for line in TABLE.strip().splitlines()[1:]]
    return [(state, row[0], cell.strip()) for row in rows
            for state, cell in zip(STATES, [cell for cell in row[1:] if cell.strip()], strict=True)]


def asked(by: str = "wang", **more: Any) -> Asked:
    return Asked(**{"by": by, "now": NOW, "clocks": BRANCH, "reasons": REASONS,
                    "above": Above("agency-post", "agency", AGENCY), **more})


@pytest.mark.parametrize(("state", "move", "after"), _cells())
def test_every_move_in_every_state(state: str, move: str, after: str) -> None:
    review = STATES[state]
    if after == "-":
        with pytest.raises(Refused) as caught:
            step(review, MOVES[move], SUBJECT, asked())
        assert caught.value.hint
        return
    done = step(review, MOVES[move], SUBJECT, asked())
    assert (done.state, done.version) == (after, review.version + 1)


def test_the_table_names_every_move_and_state() -> None:
    assert {type(move) for move in MOVES.values()} == set(AnyMove.__args__)
    assert {review.state for review in STATES.values()} == set(AlertState)


def test_an_escalation_runs_by_the_clocks_of_the_post_above() -> None:
    up = step(STATES["claimed"], Escalate(note="x"), SUBJECT, asked())
    assert (up.post, up.level, up.claimed_by) == ("agency-post", "agency", "")
    assert (up.claim_due, up.decide_due) == (NOW + 600_000, NOW + 3_600_000)


def test_after_an_escalation_nothing_is_undone() -> None:
    unclear = step(STATES["open"], UNCLEAR, SUBJECT, asked())
    up = step(unclear, Escalate(note="x"), SUBJECT, asked("zhao"))
    with pytest.raises(Refused, match="still be undone"):
        step(up, Undo(), SUBJECT, asked())


def test_a_lease_that_has_ended_holds_nobody_back() -> None:
    late = asked("zhao", now=NOW + 60_000)
    assert step(STATES["claimed"], Claim(), SUBJECT, late).claimed_by == "zhao"
    assert step(STATES["claimed"], LAWFUL, SUBJECT, late).ruling is not None
    with pytest.raises(Refused, match="wang has claimed it"):
        step(STATES["claimed"], LAWFUL, SUBJECT, asked("zhao"))


def test_a_lead_takes_a_claim_away_but_does_not_decide_over_it() -> None:
    lead = asked("lin", leads=True)
    assert step(STATES["claimed"], Release(), SUBJECT, lead).state == "open"
    assert step(STATES["claimed"], HandOver(to="zhao"), SUBJECT, lead).claimed_by == "zhao"
    with pytest.raises(Refused, match="wang has claimed it"):
        step(STATES["claimed"], LAWFUL, SUBJECT, lead)


def test_unclear_goes_to_a_second_person_by_every_way() -> None:
    unclear = step(STATES["claimed"], UNCLEAR, SUBJECT, asked())
    for move in (Claim(), LAWFUL):
        with pytest.raises(Refused) as caught:
            step(unclear, move, SUBJECT, asked())
        assert caught.value.why == "barred"
    second = step(unclear, Claim(), SUBJECT, asked("zhao"))
    with pytest.raises(Refused, match="second person"):
        step(second, HandOver(to="wang"), SUBJECT, asked("zhao"))
    assert step(second, LAWFUL, SUBJECT, asked("zhao")).state == "closed"


def test_an_undo_is_the_authors_for_ten_seconds() -> None:
    done = step(STATES["claimed"], LAWFUL, SUBJECT, asked())
    with pytest.raises(Refused, match="only who decided"):
        step(done, Undo(), SUBJECT, asked("zhao"))
    with pytest.raises(Refused, match="still be undone"):
        step(done, Undo(), SUBJECT, asked(now=NOW + UNDO_MS))
    back = step(done, Undo(), SUBJECT, asked(now=NOW + UNDO_MS - 1))
    assert back.lease_until == NOW + UNDO_MS - 1 + 120_000
    assert replace(back, version=0, lease_until=NOW + 60_000) == STATES["claimed"]


@pytest.mark.parametrize(("move", "subject", "why"), [
    (VIOLATION, CARE, "outcome"), (LAWFUL, CARE, "outcome"), (UNCLEAR, CARE, "outcome"),
    (Decide(outcome=Outcome.ATTENDED, reason="helped"), CARE, "note"),
    (Decide(outcome=Outcome.ATTENDED, reason="helped", note="x"), SUBJECT, "outcome"),
    (replace(VIOLATION, reason="misheard"), SUBJECT, "reason"), (replace(VIOLATION, reason="?"), SUBJECT, "reason"),
    (replace(VIOLATION, categories=("minors",)), SUBJECT, "category"),
    (VIOLATION, replace(SUBJECT, clauses=()), "clause"),
    (replace(EXEMPT, proof=" "), SUBJECT, "proof"), (replace(EXEMPT, clause=""), SUBJECT, "proof"),
])
def test_a_decision_that_does_not_fit_is_refused_with_what_would(move: Decide, subject: Subject, why: str) -> None:
    with pytest.raises(Refused) as caught:
        step(STATES["open"], move, subject, asked())
    assert caught.value.why == why and caught.value.hint


@pytest.mark.parametrize("move", [Decide(outcome=Outcome.ATTENDED, reason="helped", note="已联系家人"),
                                  Decide(outcome=Outcome.NOT_NEEDED, reason="no_danger")])
def test_care_ends_with_what_was_done_or_that_nothing_was_needed(move: Decide) -> None:
    assert step(STATES["open"], move, CARE, asked()).state == "closed"


def test_a_ticked_category_is_what_the_decision_is_about() -> None:
    one = step(STATES["open"], replace(VIOLATION, categories=("medical",)), SUBJECT, asked())
    both = step(STATES["open"], VIOLATION, SUBJECT, asked())
    assert one.ruling is not None and one.ruling.categories == ("medical",)
    assert both.ruling is not None and both.ruling.categories == SUBJECT.category


@pytest.mark.parametrize("move", [Undo(), Reopen(note="x")])
def test_what_has_no_finding_left_does_not_come_back(move: AnyMove) -> None:
    with pytest.raises(Refused, match="withdrawn meanwhile"):
        step(STATES["violation"], move, replace(SUBJECT, stands=False), asked())


PEOPLE = ("wang", "zhao", "lin")
ANY_MOVE = st.one_of(
    st.sampled_from([Claim(), Release(), Escalate(note="x"), VIOLATION, LAWFUL, EXEMPT, UNCLEAR, Undo(),
                     Rectify(remedy=Remedy.SAID), Close(), Reopen(note="x"), Note(note="x")]),
    st.builds(HandOver, to=st.sampled_from(PEOPLE)))


class Desk(RuleBasedStateMachine):
    """Several people and the clock act on one alert."""

    @initialize(held=st.booleans())
    def begin(self, held: bool) -> None:
        self.now = NOW
        self.review = STATES["held"] if held else Review(claim_due=NOW + 100_000, decide_due=NOW + 300_000)
        self.decided: tuple[Review, str] | None = None
        """What the latest decision was made on, and by whom."""

    def ask(self, by: str) -> Asked:
        top = self.review.level == "agency"
        return asked(by, now=self.now, leads=by == "lin", above=None if top else asked().above)

    @rule(by=st.sampled_from(PEOPLE), move=ANY_MOVE)
    def act(self, by: str, move: AnyMove) -> None:
        before = self.review
        try:
            after = step(before, move, SUBJECT, self.ask(by))
        except Refused as why:
            assert why.hint and self.review == before
            return
        assert after.version == before.version + 1
        if isinstance(move, Decide):
            assert by not in before.barred
            assert before.state is not AlertState.CLAIMED or before.claimed_by == by or self._ended(before)
            self.decided = (before, by)
        elif isinstance(move, Undo):
            assert self.decided is not None
            was, author = self.decided
            assert author == by
            assert replace(after, version=0, lease_until=None) == replace(
                was, version=0, lease_until=None, before=None, undo_until=None)
        elif isinstance(move, Claim | HandOver):
            assert after.claimed_by not in after.barred
        self.review = after

    def _ended(self, review: Review) -> bool:
        return review.lease_until is not None and review.lease_until <= self.now

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1_000

    @precondition(lambda self: self.review.due is not None and self.review.due <= self.now)
    @rule()
    def tick(self) -> None:
        found = overdue(self.review, SUBJECT, self.ask("time"))
        assert found is not None and found[0].version == self.review.version + 1
        self.review = found[0]

    @invariant()
    def one_holder(self) -> None:
        claimed = self.review.state is AlertState.CLAIMED
        assert claimed == bool(self.review.claimed_by) == (self.review.lease_until is not None)

    @invariant()
    def a_ruling_where_it_is_decided(self) -> None:
        decided = self.review.state in (AlertState.VIOLATION, AlertState.RECTIFIED, AlertState.CLOSED)
        assert decided == (self.review.ruling is not None)

    @invariant()
    def nothing_runs_where_nobody_has_to_act(self) -> None:
        if self.review.state not in LIVE:
            assert self.review.due is None and self.review.claim_due is None and self.review.decide_due is None


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
