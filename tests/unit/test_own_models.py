"""A tenant's own classifier judges that tenant's events and no others, however tenants are mixed in a batch."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.alerts import GroupingSettings
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Frame, build
from monitor.domain.rules import Applies
from monitor.engine import pipeline
from monitor.engine.batch import EventBatch, FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Judged
from monitor.engine.pipeline import explain, judge
from monitor.engine.views import Views, ViewTables
from monitor.services.explaining import why
from monitor.services.lane import Admitted, Lane, LaneState
from tests.faults.inside import START
from tests.unit.mlkit import Written
from tests.unit.rulekit import engine, event, rule, terms

LOWEST, BUY, NICE = "咱家全网最低", "小朋友快来买", "今天天气真好啊"
TEXTS = (LOWEST, BUY, NICE, "加我13912345678")
RULES = (rule(terms("claim", "全网最低"), applies=Applies(likely=True)),
         rule(terms("child", "小朋友"), applies=Applies(likely=True), name="t.minors", category=("minors",)))
EVERY = Written({LOWEST: {"absolute_claim": 0.9}}, ["absolute_claim", "minors"], version="base/1@a")
OWN = Written({BUY: {"minors": 0.9}}, ["minors", "absolute_claim"], version="agency/1@b")
THIRD = Written({}, ["absolute_claim", "minors"], version="third/1@c")


def serving(**own: Written) -> EngineSet:
    return engine(*RULES, scorer=EVERY, own=own)


def frame(tenant: str, texts: Sequence[str]) -> Frame:
    events = [Event(id=f"{tenant}{i}", kind=Kind.TRANSCRIPT, text=text, at=START + i) for i, text in enumerate(texts)]
    (made,) = build(events, tenant=tenant, accepted_at=START, pseudonym=str, revision_of=lambda event: 0)
    return made


def found(judged: Judged) -> list[tuple[int, str]]:
    return [(match.event, match.rule.rule.id) for match in judged.matches]


def test_each_tenants_events_are_judged_by_its_own_model_alone() -> None:
    some = serving(agency=OWN, third=THIRD)
    frames = [frame(tenant, [LOWEST, BUY]) for tenant in ("local", "agency", "third", "agency", "other")]
    judged = judge(some, FrameBatch(frames))
    assert found(judged) == [(0, "t.rule"), (3, "t.minors"), (7, "t.minors"), (8, "t.rule")]
    assert {scored.scorer.version: scored.events.tolist() for scored in judged.scored} == {
        "base/1@a": [0, 1, 8, 9], "agency/1@b": [2, 3, 6, 7], "third/1@c": [4, 5]}


def test_a_batch_of_one_model_is_judged_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    some, looks = serving(agency=OWN), list[str]()

    def seen(tables: ViewTables, text: str) -> Views:
        looks.append(text)
        return Views(tables, text)

    monkeypatch.setattr(pipeline, "Views", seen)
    for tenants, amount in ((("agency", "agency"), 1), (("local", "other"), 1), (("local", "agency"), 2)):
        looks.clear()
        batch = FrameBatch([frame(tenant, [NICE, BUY]) for tenant in tenants])
        judge(some, batch)
        assert len(looks) == amount
        assert (looks[0] is batch.text) == (amount == 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["local", "agency", "third"]), st.lists(st.sampled_from(TEXTS), min_size=1,
                                                                                 max_size=4)), max_size=6),
       st.frozensets(st.integers(0, 20)))
def test_what_is_found_does_not_depend_on_who_else_is_in_the_batch(
    said: list[tuple[str, list[str]]], skip: frozenset[int]
) -> None:
    some = serving(agency=OWN, third=THIRD)
    frames = [frame(tenant, texts) for tenant, texts in said]
    whole, first = judge(some, FrameBatch(frames), skip=skip), 0
    parts, masked = list[tuple[int, str]](), list[int]()
    for each in frames:
        alone = judge(some, FrameBatch([each]), skip={i - first for i in skip})
        parts += [(first + event, name) for event, name in found(alone)]
        masked += [first + contact.event for contact in alone.contacts]
        first += len(each)
    assert found(whole) == parts
    assert [contact.event for contact in whole.contacts] == masked
    rows = np.concatenate([scored.events for scored in whole.scored]) if whole.scored else np.array([])
    assert sorted(rows.tolist()) == list(range(first))


def test_a_lane_and_a_joined_utterance_ask_the_tenants_own_model() -> None:
    halves = ["这是全网", "最低的价格了"]
    own = Written({"".join(halves): {"absolute_claim": 0.9}}, version="agency/1@b")
    none = Written({}, ["absolute_claim"], version="base/1@a")
    some = engine(RULES[0], scorer=none, own={"agency": own})
    lane = Lane(0, some, GroupingSettings(), state=LaneState())
    frames = [frame(tenant, halves) for tenant in ("local", "agency")]
    outcome = lane.run([Admitted(seq, each, ["b"] * 2) for seq, each in enumerate(frames, 1)])
    assert [(finding.tenant, finding.rule) for finding in outcome.findings] == [("agency", "t.rule")]


def test_own_models_are_part_of_the_version_and_one_that_serves_all_is_not_an_own_one() -> None:
    every = serving()
    assert serving(agency=EVERY).version == every.version and not serving(agency=EVERY).own
    versions = {every.version, serving(agency=OWN).version, serving(third=OWN).version,
                serving(agency=OWN, third=OWN).version, serving(agency=THIRD).version}
    assert len(versions) == 5
    both = serving(agency=OWN, third=OWN)
    assert both.of("agency") is both.of("third") is not both.of("local") is both


def test_explanations_are_of_the_tenants_own_model() -> None:
    some = serving(agency=OWN)
    judged = {tenant: [each.judges for each in explain(some, EventBatch([event(BUY)], tenant=tenant))]
              for tenant in ("local", "agency")}
    assert judged == {"local": [False], "agency": [True]}
    assert [each.score for each in why(some.of("agency"), event(BUY), ["minors"])] == [np.float32(0.9)]
    assert msgspec.structs.asdict(why(some, event(BUY), ["minors"])[0])["score"] == 0
