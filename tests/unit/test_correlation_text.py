"""Near-identical messages: fingerprints, and waves of many accounts."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.correlations import Field, Threshold
from monitor.domain.events import VIEWERS
from monitor.engine.correlation_events import Why
from monitor.engine.correlation_state import Limits, Waves
from monitor.engine.correlation_text import fingerprint, forget, near, normalised, wave_of
from tests.unit.test_correlation import Line, S, correlation

AD = "代充折扣低至三折想要的看我主页私聊秒回"
OTHERS = ("这件衣服什么时候发货", "主播能不能试一下小号", "昨天拍的还没有收到呢", "这个颜色好看还有库存吗",
          "第一次来直播间打卡")


def variants(seed: int, n: int) -> list[str]:
    """As accounts write them: a number at the end, a stretched character, one more character, a greeting before it."""
    rng = random.Random(seed)

    def one() -> str:
        text, place = AD, rng.randrange(1, len(AD))
        match rng.randrange(5):
            case 0:
                return text + str(rng.randrange(10**6))
            case 1:
                return text[:place] + text[place - 1] * rng.randint(1, 4) + text[place:]
            case 2:
                return text[:place] + chr(rng.randrange(0x4E00, 0x9000)) + text[place:]
            case 3:
                return rng.choice(["姐妹们", "速来", "真的"]) + text
        return text[:place] + chr(rng.randrange(0x4E00, 0x9000)) + text[place + 1:]

    return [one() for _ in range(n)]


def test_numbers_letters_and_stretching_do_not_tell_texts_apart() -> None:
    assert normalised("加我vx138免免免费") == "加我0免费"
    assert fingerprint("加我vx138免费") == fingerprint("加我wx9免免免费") != 0
    assert fingerprint("") == 0
    assert fingerprint("好") != 0


def test_variants_of_an_ad_are_near_and_other_messages_are_not() -> None:
    own = fingerprint(AD)
    some = variants(1, 200)
    assert sum(near(own, fingerprint(text)) for text in some) >= 190
    assert not any(near(own, fingerprint(text)) for text in OTHERS)
    assert not any(near(fingerprint(a), fingerprint(b)) for a in OTHERS for b in OTHERS if a != b)


@given(st.text(max_size=300))
def test_any_text_has_a_fingerprint_that_can_be_stored(text: str) -> None:
    found = fingerprint(text)
    assert 0 <= found < 2**64
    assert bool(found) is bool(text)
    assert found == fingerprint(text)


def test_a_wave_is_named_by_its_first_message_until_it_is_over() -> None:
    waves, (first, other) = Waves(), (fingerprint(AD), fingerprint("姐妹们" + AD))
    assert first != other
    assert wave_of(waves, first, 0, since=-60) == first
    assert wave_of(waves, other, 50, since=-10) == first
    assert wave_of(waves, other, 110, since=50) == first
    assert wave_of(waves, other, 171, since=111) == other
    forget(waves, 172)
    assert waves == Waves()


def test_fifty_accounts_with_variants_of_one_ad_are_one_finding_that_names_them() -> None:
    rule = correlation("value_count", "a", field=Field.SPEAKER, wave=True, condition=Threshold(gte=20))
    line = Line(rule)
    texts = variants(2, 50)
    for n, text in enumerate(texts):
        line.say(n / 2, text=fingerprint(text), speaker=f"u{n}", lane=VIEWERS)
        line.say(n / 2, text=fingerprint(OTHERS[n % 5]), speaker=f"v{n % 9}", lane=VIEWERS)
    line.tick(at=200)
    (held,) = line.out.held
    assert held.count == len(held.events) == 20
    named = {event.id for event in held.events} | {joined.event.id for joined in line.out.joined}
    assert 45 <= len(named) <= 50
    assert named <= {f"e{2 * n}" for n in range(50)}


@pytest.mark.parametrize("more, expected", [({"wave": True}, 2), ({}, 1)])
def test_a_count_of_events_by_wave(more: dict[str, Any], expected: int) -> None:
    line = Line(correlation("event_count", "a", condition=Threshold(gte=5), **more))
    for n in range(10):
        line.say(n, text=fingerprint((AD, OTHERS[0])[n % 2]), lane=VIEWERS)
    line.tick(at=200)
    assert len(line.held) == expected


def test_different_texts_are_counted_and_near_ones_are_one() -> None:
    rule = correlation("value_count", "a", field=Field.TEXT, condition=Threshold(gte=3))
    line = Line(rule)
    for n, text in enumerate([AD, *variants(3, 20), OTHERS[0]]):
        line.say(n, text=fingerprint(text))
    line.tick(at=200)
    spread = len({fingerprint(text) for text in variants(3, 20)})
    assert spread > 5
    assert line.held == []
    line.say(201, text=fingerprint(AD))
    line.say(202, text=fingerprint(OTHERS[1]))
    line.say(203, text=fingerprint(OTHERS[2]))
    line.tick(at=300)
    assert line.held == [["e22", "e23", "e24"]]


def test_a_message_without_text_is_no_wave() -> None:
    line = Line(correlation("event_count", "a", wave=True))
    for n in range(5):
        line.say(n)
    line.tick(at=100)
    assert line.held == []
    assert line.out.dropped == {Why.TEXTLESS: 5}


def test_waves_are_bounded_and_restored() -> None:
    line = Line(correlation("event_count", "a", wave=True), limits=Limits(groups=50))
    rng = random.Random(4)
    for n in range(2_000):
        line.say(n / 100, text=rng.getrandbits(64) | 1)
    (waves,) = line.correlator.snapshot().rooms["t", "r"].waves.values()
    assert len(waves.seen) <= 51
    assert set(waves.bands.values()) <= set(waves.seen)
    for n in range(2):
        line.say(30 + n, text=fingerprint(AD))
    line.restart()
    line.say(32, text=fingerprint(variants(5, 1)[0]))
    line.tick(at=32 + 60 * S)
    assert len(line.held) == 1
