"""The linear classifier: equal to what was fitted, whatever the batch, and blind to contact data."""

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.domain.events import KINDS, ROLES
from monitor.domain.labelled import Labelled
from monitor.domain.labels import Label
from monitor.engine.grams import Grams, read
from monitor.engine.scorer import Common, Scores, joined
from monitor.engine.views import Views
from monitor.services.labelling import masked
from monitor.services.models import Model
from tests.unit.mlkit import fitter, lines, looked_at, manifest, model, scorer, trained
from tests.unit.rulekit import tables

PIECES = ("全网最低", "加我微信", "🔥", "👨‍👩‍👧", "wei信", "vx", "ＶＸ", "wo men", "\n", "…！", " ", "最",
          "\ud800", "\U000e0041", "13")
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
                  st.text(st.characters(codec=None), max_size=12),
                  st.sampled_from(("", "!!!…", "最" * 4_000, "wo" * 2_000, "买它不买它" * 800)))
EVENTS = st.builds(Labelled, text=TEXTS, kind=st.sampled_from(KINDS[:2]), speaker=st.sampled_from(ROLES))


def scores(*events: Labelled | str) -> Scores:
    return scorer().score(*looked_at(events))


def test_it_decides_as_what_was_fitted() -> None:
    """On the weights as they are rounded; of lines without contact data, which training does not read either."""
    weights = model().weights
    stacked = np.concatenate([scorer().table[:-1], weights.aside / np.float32(0.1)]).astype(float)
    wanted = joined(fitter().matrix(lines()) @ stacked + weights.bias, weights.common)
    decided = scorer().decide(*looked_at(lines()))
    assert len(lines()) > 300
    assert np.abs(decided - wanted).max() < 1e-5
    assert np.abs(decided).max() > 0.5


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_batch_does_not_matter(events: list[Labelled], random: object) -> None:
    order = list(range(len(events)))
    random.shuffle(order)  # type: ignore[attr-defined]
    together = scores(*(events[i] for i in order))
    for place, i in enumerate(order):
        assert (scores(events[i])[0] == together[place]).all()
    assert np.isfinite(together).all()
    assert ((together >= 0) & (together <= 1)).all()


def test_one_of_512_is_as_one_alone() -> None:
    some = [lines()[i % len(lines())] for i in range(512)]
    together = scores(*some)
    for i in range(0, 512, 37):
        assert (scores(some[i])[0] == together[i]).all()


@pytest.mark.parametrize(("text", "other"), [
    ("电话13800138000便宜", "电话13911112222便宜"),
    ("加微信abc12345便宜", "加微信xyz98765便宜"),
    ("写信到aaa@example.com问", "写信到bcd@example.org问"),
])
def test_contact_data_is_not_read(text: str, other: str) -> None:
    assert (scores(text) == scores(other)).all()
    rows = fitter().matrix([Labelled(text=text), Labelled(text=other)])
    assert abs(rows[0] - rows[1]).max() == 0
    assert (scores(text) != scores(text[:5])).any()


CONTACTS = ("weixin", "abc12345", "xiaobai123", "13800138000", "a@b.cn", "加", "微信", "扣扣8234567", "电话", "vx", " ",
            "便宜", "🔥", "qq", "wei信", "mail ")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CONTACTS), min_size=1, max_size=5).map("".join))
def test_with_contact_data_training_serving_and_labels_read_the_same(text: str) -> None:
    """Labels are kept with marks in place of contact data, which may cut a run of letters: weixinabc12345."""
    (kept,) = masked([Label(text=text, labels=[])], tables())
    assume(kept != text and masked([Label(text=kept, labels=[])], tables()) == [kept])  # all of it is found at once
    raw, marked = (fitter().matrix([Labelled(text=each)]) for each in (text, kept))
    assert abs(raw - marked).max() == 0
    weights = model().weights
    stacked = np.concatenate([scorer().table[:-1], weights.aside / np.float32(0.1)]).astype(float)
    for each in (text, kept):
        decided = scorer().decide(*looked_at([each]))
        assert np.abs(decided - joined(raw @ stacked + weights.bias, weights.common)).max() < 1e-5
    assert (scores(text) == scores(kept)).all()


def test_a_word_beside_an_id_sounds_as_without_it() -> None:
    text, category = "加weixinabc12345", scorer().categories[0]
    places = {(reason.start, reason.end) for reason in scorer().reasons(*looked_at([text]), category)}
    assert {(0, 4), (1, 7), (0, 7)} <= places  # 加wei, weixin, all of it but the id
    assert max(end for _, end in places) == 7


def test_reasons_add_up_to_the_log_odds() -> None:
    weights = model().weights
    for line in (*lines()[:40], Labelled(text="加wei信13800138000"), Labelled(text="")):
        given_, category = looked_at([line]), scorer().categories[1]
        reasons = scorer().reasons(*given_, category)
        kind, role = KINDS.index(line.kind), len(KINDS) + ROLES.index(line.speaker)
        aside = weights.bias + weights.aside[kind] + weights.aside[role]
        unlawful = scorer().margins(*given_)[0, -1]
        full = unlawful >= weights.common.most
        told = aside[1] + weights.common.weight * (weights.common.most if full else aside[-1])
        odds = sum(reason.weight for reason in reasons) + told * weights.slope[1] + weights.offset[1]
        score = scorer().score(*given_)[0, 1]
        assert np.log(score / (1 - score)) == pytest.approx(odds, abs=1e-3)
        assert [abs(reason.weight) for reason in reasons] == sorted(
            (abs(reason.weight) for reason in reasons), reverse=True)


def test_a_reason_covers_its_whole_syllables() -> None:
    """wei信 is two syllables, of which the first has three letters."""
    text = "加wei信"
    places = {(reason.start, reason.end) for reason in scorer().reasons(*looked_at([text]), scorer().categories[0])}
    assert {(0, 4), (1, 5), (0, 5)} <= places  # 加wei, wei信, all of it
    assert all(0 <= start < end <= len(text) for start, end in places)


@given(st.lists(st.text(st.sampled_from("最低价vxi 🔥\u3000。wo"), max_size=6), min_size=1, max_size=6))
def test_no_gram_crosses_texts(texts: list[str]) -> None:
    def buckets(some: list[str]) -> list[int]:
        found = read(Grams(), Views(tables(), "\n".join(some)))
        assert found.counts.shape == (len(some),)
        return sorted(b for b in found.buckets.ravel().tolist() if b < Grams().buckets)

    assert buckets(texts) == sorted(b for text in texts for b in buckets([text]))


@pytest.mark.parametrize(("text", "wanted"), [
    ("最低", [[127253, 60231], [32194], [], [80057], []]),
    ("加V", [[95188, 57825], [6799], [], [41782], []]),
])
def test_hashes_stay(text: str, wanted: list[list[int]]) -> None:
    """A model that was trained once must read the same n-grams for ever."""
    found = read(Grams(), Views(tables(), text))
    assert [[b for b in row if b < Grams().buckets] for row in found.buckets.tolist()] == wanted


def test_odds_beyond_all_numbers_are_certainties() -> None:
    weights = model().weights
    for sign in (-1, 1):
        sure = msgspec.structs.replace(weights, offset=np.full_like(weights.offset, sign * 1e6))
        found = Model(manifest(trained().categories, trained().thresholds), sure).scorer().score(*looked_at(["好"]))
        assert found == pytest.approx(float(sign > 0), abs=1e-30)


def test_reasons_of_a_sure_violation_are_its_category_s_alone() -> None:
    """Above `most` what is common adds no more, so no n-gram carries any of it."""
    text = looked_at(["全网最低价，加微信"])

    def carried(most: float) -> list[float]:
        weights = msgspec.structs.replace(model().weights, common=Common(weight=0.3, most=most))
        one = Model(msgspec.structs.replace(model().manifest, common=weights.common), weights).scorer()
        return sorted(reason.weight for reason in one.reasons(*text, one.categories[0]))

    assert carried(-9) != carried(9)
    plain = msgspec.structs.replace(model().weights, common=Common(weight=0.0, most=0.0))
    one = Model(model().manifest, plain).scorer()
    assert carried(-9) == sorted(reason.weight for reason in one.reasons(*text, one.categories[0]))
