"""The classifier from a distance: the spread of its scores, what it knows, and a model in the shadow."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitor.adapters.bundled import model_folder
from monitor.adapters.ml.folder import load_model
from monitor.adapters.rulefiles import load
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.hub import SseHub
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Frame, build
from monitor.engine.batch import Batch, FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Scored
from monitor.engine.patterns import ContactSpan
from monitor.engine.scorer import Scorer, Scores
from monitor.engine.views import Index, Views
from monitor.services.detect import Detect, DetectSettings
from monitor.services.observing import EDGES, Observer, agreement, spread_of
from monitor.services.records import AlertFilter
from tests.fakes.archive import MemoryArchive
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES
from tests.faults.inside import START, Clock, Quiet
from tests.faults.streams import ZONE, tables
from tests.unit.mlkit import Written, certain

LONG = "全网最低价格就在今天"


class Counted:
    """Telemetry that counts."""

    def __init__(self) -> None:
        self.found: Counter[tuple[str, ...]] = Counter()
        self.calls = 0
        self._table = PrometheusTelemetry()  # refuses what is not in the table

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None:
        self._table.count(metric, amount, **labels)
        self.found[metric, *labels.values()] += int(amount)
        self.calls += 1

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, /, **labels: str) -> None: ...


def frame(*texts: str, kind: Kind = Kind.TRANSCRIPT) -> Frame:
    events = [Event(id=f"e{i}", kind=kind, text=text, at=START) for i, text in enumerate(texts)]
    (made,) = build(events, tenant="local", accepted_at=START, pseudonym=str, revision_of=lambda event: 0)
    return made


def scored(scorer: Scorer, frames: Sequence[Frame]) -> list[Scored]:
    batch = FrameBatch(frames)
    return [Scored(scorer, np.arange(len(batch)), scorer.score(Views(tables(), batch.text), batch, ()))]


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 5)),
                  elements=st.floats(0, 1, width=32).map(lambda p: round(p * 1000 + 0.5) / 1000 % 1)))
def test_each_score_is_counted_once_in_its_bucket(scores: Scores) -> None:
    spread = spread_of(scores)
    assert spread.sum(axis=1).tolist() == [len(scores)] * scores.shape[1]
    edges = [edge / 100 for edge in EDGES]
    for column, counts in zip(scores.T, spread.tolist(), strict=True):
        buckets = [max(i for i, edge in enumerate(edges) if p * 100 + 1e-4 >= edge * 100) for p in column.tolist()]
        assert counts == [buckets.count(i) for i in range(len(edges))]


def test_the_ends_of_the_scale_have_a_bucket() -> None:
    assert spread_of(np.array([[0], [1]], np.float32)).tolist() == [[1, 0, 0, 0, 0, 0, 1]]


def test_scores_gather_until_they_are_told() -> None:
    telemetry, scorer = Counted(), Written({LONG: {"minors": 0.95}, "短": {"minors": 0.05}})
    observer = Observer(telemetry)
    frames = [frame(LONG, "短", "别的"), frame("gift", kind=Kind.SIGNAL)]
    for _ in range(20):
        observer.take(observer.look(tables(), frames, scored(scorer, frames)))
    assert telemetry.calls == 0
    observer.tell()
    assert telemetry.found == {("scores_total", "minors", "0.9"): 20, ("scores_total", "minors", "0.02"): 20,
                               ("scores_total", "minors", "0"): 20, ("grams_total", "yes"): 2, ("grams_total", "no"): 2}
    observer.tell()
    assert telemetry.calls == 5, "each once; two batches in 20 were read for what the model knows"


def test_without_a_classifier_nothing_is_looked_at() -> None:
    observer = Observer(Counted())
    assert observer.look(tables(), [frame(LONG)], []) == []
    observer.take([])
    observer.tell()


def test_a_shadow_is_held_against_the_serving_one_in_a_sample() -> None:
    said = ["整晚都没有什么好说的", LONG + "一", LONG + "二", LONG + "三", LONG + "四", "短"]
    serving = Written({said[1]: {"minors": 0.9}, said[2]: {"minors": 0.9}, said[4]: {"minors": 0.9},
                       "短": {"minors": 1}})
    shadow = Written({said[1]: {"minors": 0.9}, said[3]: {"vulgar_sexual": 0.9}, said[4]: {"vulgar_sexual": 0.9}})
    telemetry = Counted()
    observer = Observer(telemetry, lambda tenant: shadow, sample=3)
    for _ in range(4):
        observer.take(observer.look(tables(), [frame(*said)], scored(serving, [frame(*said)])))
    observer.tell()
    assert {key[2]: amount for key, amount in telemetry.found.items() if key[0] == "shadow_events_total"} == {
        "silent": 4, "same": 2, "serving": 2, "shadow": 2, "other": 2}


def test_each_tenants_events_are_held_against_its_own_shadow() -> None:
    said = [LONG + "一", LONG + "二"]
    serving, own = Written({said[0]: {"minors": 0.9}}), Written({said[1]: {"minors": 0.9}}, version="agency/1@")
    shadow = Written({said[0]: {"minors": 0.9}}, ["minors"], version="agency/2@x")
    frames = [frame(*said), msgspec.structs.replace(frame(*said), tenant="agency"), frame(*said)]
    every = FrameBatch(frames)
    views = Views(tables(), every.text)
    parts = [Scored(scorer, np.array(rows), scorer.score(views, every, ())[rows])
             for scorer, rows in ((serving, [0, 1, 4, 5]), (own, [2, 3]))]
    telemetry = Counted()
    observer = Observer(telemetry, {"agency": shadow}.get, sample=1)
    observer.take(observer.look(tables(), frames, parts))
    observer.tell()
    assert {key[1:]: n for key, n in telemetry.found.items() if key[0] == "shadow_events_total"} == {
        ("agency/2", "shadow"): 1, ("agency/2", "serving"): 1}
    assert telemetry.found["scores_total", "minors", "0.9"] == 3
    assert telemetry.found["grams_total", "yes"] == 2, "each model was asked once"


def test_agreement_of_one_with_itself_is_whole() -> None:
    found = np.array([[True, False], [False, False], [True, True]])
    heard = np.array([True, True, False])
    assert agreement(found, found, heard, ("a", "b"), ("a", "b")) == {"silent": 1, "same": 1}


def test_what_a_model_knows_of_a_text(tmp_path: Path) -> None:
    found = load_model(certain(tmp_path / "m/1", {"minors": 0}))
    batch = FrameBatch([frame("今天天气")])
    given_ = (Views(tables(), batch.text), batch, ())
    assert found.scorer().known(*given_) == (0, 4), "it has learnt nothing"
    taught = np.ones_like(found.weights.table)
    taught[-1] = 0
    weights = msgspec.structs.replace(found.weights, table=taught)
    assert msgspec.structs.replace(found, weights=weights).scorer().known(*given_) == (4, 4)


class Loud(Written):
    def score(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], verticals: Index | None = None
    ) -> Scores:
        return np.ones((len(batch.starts), len(self.categories)), np.float32)


async def judged(shadow: Scorer | None) -> tuple[list[str], Counted]:
    """(rules of the alerts, what was counted) of one frame through the whole of Detect, with a classifier."""
    engine = EngineSet(load(RULES), tables(), zone=ZoneInfo(ZONE), scorer=Written({LONG: {"price_consumer": 0.9}}))
    log, store, telemetry, quiet = MemoryLog(), MemoryStore(), Counted(), Quiet()

    async def engine_of(version: str) -> EngineSet:
        return engine

    detect = Detect(
        log=log, store=store, archive=MemoryArchive(), publisher=SseHub(PrometheusTelemetry()), telemetry=telemetry,
        logger=quiet, clock=Clock(), engine=engine, engine_of=engine_of, settings=DetectSettings(linger_s=0),
        failpoint=lambda name, events=0: None, observer=Observer(telemetry, lambda tenant: shadow, sample=1))
    await detect.start()
    end = await log.append([frame(LONG, "晚上好欢迎大家来")])
    running = asyncio.create_task(detect.run())
    async with asyncio.timeout(20):
        while detect.positions()[0] < end:
            await asyncio.sleep(0)
            if running.done():
                running.result()
    detect.stop()
    await running
    page = await store.alerts("local", AlertFilter(), cursor=None, limit=100)
    return sorted(alert.rule for alert in page.alerts), telemetry


async def test_a_shadow_makes_no_finding_and_is_counted() -> None:
    alone, without = await judged(None)
    beside, counted = await judged(Loud({}, ["minors"]))
    assert alone == beside != []
    assert not any(key[0] == "shadow_events_total" for key in without.found)
    assert counted.found["shadow_events_total", "written/1", "other"] == 1
    assert counted.found["shadow_events_total", "written/1", "shadow"] == 1
    for edge in ("0.9", "0"):
        assert without.found["scores_total", "price_consumer", edge] == 1


def test_the_bundled_model_knows_more_of_what_is_said_than_of_characters_at_random() -> None:
    folder = model_folder("")
    assert folder is not None
    scorer, rng = load_model(folder).scorer(), np.random.default_rng(1)

    def share(*texts: str) -> float:
        batch = FrameBatch([frame(*texts)])
        known, grams = scorer.known(Views(tables(), batch.text), batch, ())
        return known / grams

    said = share("这款面膜全网最好，家人们赶紧下单", "加我微信私下给你便宜", "小朋友拿爸妈手机刷的礼物")
    noise = share(*("".join(map(chr, rng.integers(0x4E00, 0x9FA5, 20).tolist())) for _ in range(200)))
    assert noise < 0.35 < 0.5 < said
