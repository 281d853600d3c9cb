"""The trade of a room as a feature: learnt where it is asked for, read of the rooms, and nothing of the batch."""

from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.ml.fitting import GramFitter
from monitor.adapters.ml.folder import MANIFEST, load_model, save_model
from monitor.domain.events import Event
from monitor.domain.frames import build
from monitor.domain.labelled import Labelled
from monitor.domain.rules import RoomContext
from monitor.engine.batch import Batch, Chosen, EventBatch, FrameBatch
from monitor.engine.patterns import contacts
from monitor.engine.pipeline import judge
from monitor.engine.scorer import Scores
from monitor.engine.trades import Trades
from monitor.engine.views import Views
from monitor.services.classifying import probabilities
from monitor.services.models import Model
from monitor.services.training import train
from tests.unit.mlkit import GRAMS, RECIPE, lines, manifest, scorer
from tests.unit.rulekit import engine, event, rule, tables, terms

RECIPE_OF_TRADES = msgspec.structs.replace(RECIPE, verticals=("food", "beauty"))
VERTICAL = {"r1": "beauty", "r2": "food", "r3": "tea", "r4": ""}
ROOMS = [RoomContext(room=room, vertical=vertical) for room, vertical in VERTICAL.items()]
RULE = rule(terms("claim", "全网最低"))
ROOM_NAMES = st.sampled_from(("r1", "r2", "r3", "r4", "r5"))


@cache
def fitter() -> GramFitter:
    return GramFitter(tables(), GRAMS, RECIPE_OF_TRADES)


@cache
def model() -> Model:
    """Of two trades; what is sold as food is the one violation."""
    some = [msgspec.structs.replace(line, vertical="food" if "minors" in line.labels else "beauty") for line in lines()]
    found = train(some, ["minors"], fitter(), RECIPE_OF_TRADES)
    told = msgspec.structs.replace(manifest(found.categories, found.thresholds), verticals=["food", "beauty"])
    return Model(told, fitter().weights(found))


def trades() -> Trades:
    return Trades(model().scorer(), {(room.tenant, room.room): room for room in ROOMS})


def said(text: str, room: str = "") -> Event:
    return event(text, room=room, at=1)


def framed(rooms: list[str], size: int) -> FrameBatch:
    events = [said("好看", room) for room in rooms]
    return FrameBatch([frame for first in range(0, len(events), size) for frame in build(
        events[first : first + size], tenant="local", accepted_at=1, pseudonym=str, revision_of=lambda event: 0)])


def told(batch: Batch) -> list[int]:
    found = trades().of(batch)
    assert found is not None
    return list(found.tolist())


@settings(deadline=None)
@given(st.lists(ROOM_NAMES, min_size=1, max_size=12), st.integers(1, 5))
def test_a_room_has_its_trade_in_every_kind_of_batch(rooms: list[str], size: int) -> None:
    by_frames = framed(rooms, size)
    for batch in (by_frames, EventBatch([said("好", room) for room in rooms])):
        names = [VERTICAL.get(batch.room(i)[1], "") for i in range(len(rooms))]
        assert told(batch) == [("food", "beauty").index(name) if name in ("food", "beauty") else -1 for name in names]
        some = np.arange(len(rooms))[::2]
        assert told(Chosen(batch, some)) == [told(batch)[i] for i in some]


def test_where_no_trade_is_known_nothing_is_asked() -> None:
    assert Trades(scorer(), {("local", "r1"): ROOMS[0]}).of(framed(["r1"], 1)) is None
    assert Trades(model().scorer(), {}).of(framed(["r1"], 1)) is None
    assert Trades(None, {("local", "r1"): ROOMS[0]}).of(framed(["r1"], 1)) is None


def scores(*rooms: str, text: str = "今晚大家都在说这个") -> Scores:
    set_ = engine(RULE, rooms=ROOMS, scorer=model().scorer())
    (found,) = judge(set_, EventBatch([said(text, room) for room in rooms])).scored
    return found.scores


def test_a_trade_counts_and_an_unknown_one_does_not() -> None:
    beauty, food, unlearnt, unsaid, unknown = scores("r1", "r2", "r3", "r4", "r5")[:, 0].tolist()
    assert beauty < unknown < food
    assert unlearnt == unsaid == unknown
    (without,) = judge(engine(RULE, scorer=model().scorer()), EventBatch([said("今晚大家都在说这个")])).scored
    assert without.scores[0, 0] == unknown


@settings(deadline=None, max_examples=30)
@given(st.lists(ROOM_NAMES, min_size=1, max_size=8))
def test_the_batch_does_not_matter(rooms: list[str]) -> None:
    together = scores(*rooms)
    assert all((scores(room)[0] == row).all() for room, row in zip(rooms, together, strict=True))


def test_it_decides_as_what_was_fitted() -> None:
    some = [msgspec.structs.replace(line, vertical=("food", "beauty", "tea", "")[i % 4])
            for i, line in enumerate(lines()[:80])]
    weights = model().weights
    assert weights.trades is not None and np.abs(weights.trades).min() > 0
    told = np.concatenate([weights.aside, weights.trades]) / np.float32(0.1)
    stacked = np.concatenate([model().scorer().table[:-1], told])
    odds = (fitter().matrix(some) @ stacked.astype(float) + weights.bias) * weights.slope + weights.offset
    assert np.abs(probabilities(model().scorer(), tables(), some) - 1 / (1 + np.exp(-odds))).max() < 1e-5


def test_without_trades_a_recipe_reads_none() -> None:
    plain = GramFitter(tables(), GRAMS, RECIPE)
    one, two = (plain.matrix([Labelled(text="好看", vertical=vertical)]) for vertical in ("food", ""))
    assert (one != two).nnz == 0
    assert fitter().matrix([Labelled(text="好看", vertical="tea")]).nnz == one.nnz


def test_trades_are_kept_in_the_folder(tmp_path: Path) -> None:
    save_model(tmp_path / "m/1", model(), "")
    loaded = load_model(tmp_path / "m/1").scorer()
    assert loaded.verticals == ("food", "beauty")
    batch = EventBatch([said("今晚大家都在说这个")] * 3)
    views = Views(tables(), batch.text)
    given_ = views, batch, contacts(views, batch.starts.tolist()), np.array([0, 1, -1])
    assert (loaded.score(*given_) == model().scorer().score(*given_)).all()


@pytest.mark.parametrize("name", ["tea", None])
def test_rows_that_the_manifest_does_not_name_are_refused(tmp_path: Path, name: str | None) -> None:
    folder = tmp_path / "m/1"
    save_model(folder, model(), "")
    facts = msgspec.json.decode((folder / MANIFEST).read_bytes())
    facts["verticals"] = ["food", "beauty", name] if name else []
    (folder / MANIFEST).write_bytes(msgspec.json.encode(facts))
    with pytest.raises(Exception, match="not float32"):
        load_model(folder)


def test_a_folder_of_the_first_format_has_no_trades(tmp_path: Path) -> None:
    plain = Model(manifest(["minors"], {"minors": model().manifest.thresholds["minors"]}),
                  msgspec.structs.replace(model().weights, trades=None))
    save_model(tmp_path / "m/1", plain, "")
    path = tmp_path / "m/1" / MANIFEST
    facts = msgspec.json.decode(path.read_bytes())
    del facts["verticals"]
    path.write_bytes(msgspec.json.encode(facts | {"format": 1}))
    assert load_model(tmp_path / "m/1").scorer().verticals == ()
