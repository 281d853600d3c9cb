"""Generated input for the benchmarks: reproducible from its seed, sized like the real thing.

Texts of 20 characters from the 3,755 commonest Chinese characters (GB 2312, level 1). 10,000 terms (2,500 of two
characters, 7,500 of three to six) in 1,000 rules, of which four in five need two parts to hold, so that most hits give
no finding; 80 patterns. A share of the texts carries a term; a fifth of those carries one of a rule that it satisfies.
"""

import hashlib
import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from monitor.domain.conditions import parse
from monitor.domain.events import Event
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import Rule, Selection, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from monitor.engine.views import ViewTables

COMMON = [bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)]
ZONE = ZoneInfo("Asia/Shanghai")
BATCH = 512


def terms(seed: int) -> list[str]:
    rng = random.Random(seed)
    sizes = [2] * 2_500 + [rng.randint(3, 6) for _ in range(7_500)]
    found: dict[str, None] = {}
    for size in sizes:
        term = "".join(rng.choices(COMMON, k=size))
        while term in found:
            term = "".join(rng.choices(COMMON, k=size))
        found[term] = None
    shuffled = list(found)
    rng.shuffle(shuffled)
    return shuffled


def pattern_samples(seed: int) -> dict[str, str]:
    """80 patterns of the shapes that rules use (alternatives, optional parts, bounded gaps, numbers) → a text each."""
    rng = random.Random(seed + 1)

    def word(size: int) -> str:
        return "".join(rng.choices(COMMON, k=size))

    def shape(i: int) -> tuple[str, str]:
        a, b, c, d = word(2), word(2), word(1), word(2)
        match i % 4:
            case 0:
                return f"({a}|{b}){c}?[一二三四五六七八九十\\d]{{1,3}}{c}", f"{a}{c}三{c}"
            case 1:
                return f"{a}.{{0,8}}{b}", f"{a}好{b}"
            case 2:
                return f"\\d{{1,4}}({c}|{a}){b}", f"12{c}{b}"
        return f"({a}|{b}|{d})({c})?{word(2)}", ""

    found = {}
    for i in range(80):
        pattern, sample = shape(i)
        found[pattern] = sample or pattern[1:3] + pattern[-2:]
    return found


def patterns(seed: int) -> list[str]:
    return list(pattern_samples(seed))


def _rule(name: str, selections: Sequence[Selection], condition: str) -> Rule:
    return Rule(
        id=f"bench.{name}", title=name, tier=Tier.REDLINE, category=("absolute_claim",), severity=Severity.HIGH,
        status=Status.ACTIVE, clauses=(), selections=tuple(selections),
        condition=parse(condition, [s.name for s in selections]), pack="bench", version="1", path="bench.yml",
    )


def one(name: str, words: Sequence[str]) -> Rule:
    """A rule of one selection of terms."""
    return _rule(name, (Selection(name="claim", terms=tuple(words)),), "claim")


def rules(seed: int) -> tuple[list[Rule], list[str], list[str]]:
    """(rules, terms whose hit is a finding, terms whose hit alone is none)"""
    every = terms(seed)
    found, single, paired = [], [], []
    for i in range(1_000):
        ten = tuple(every[i * 10 : i * 10 + 10])
        if i % 5:
            parts = (Selection(name="claim", terms=ten[:8]), Selection(name="about", terms=ten[8:]))
            found.append(_rule(f"r{i}", parts, "claim and about"))
            paired += ten[:8]
        else:
            found.append(_rule(f"r{i}", (Selection(name="claim", terms=ten),), "claim"))
            single += ten
    for i, pattern in enumerate(patterns(seed)):
        found.append(_rule(f"p{i}", (Selection(name="claim", patterns=(pattern,)),), "claim"))
    return found, single, paired


def engine_set(every: Sequence[Rule], tables: bytes) -> EngineSet:
    return EngineSet(RuleSet(tuple(every), {}, "bench", {}), ViewTables(tables), zone=ZONE)


def texts(seed: int, count: int, share: float, single: Sequence[str], paired: Sequence[str]) -> list[str]:
    """`share` of the texts carry a term, a fifth of those one that is a finding by itself."""
    rng = random.Random(seed + 2)
    found = []
    for _ in range(count):
        text = "".join(rng.choices(COMMON, k=20))
        if rng.random() < share:
            term = rng.choice(single if rng.random() < 0.2 else paired)
            at = rng.randint(0, 20 - len(term))
            text = text[:at] + term + text[at + len(term) :]
        found.append(text)
    return found


def lines(every: Sequence[str], *, rooms: int = 1_000, first: int = 0, at: int = 1_700_000_000_000) -> list[bytes]:
    """One NDJSON line each, with the fields that a live source sends; one in twenty is the host."""
    found = []
    for i, text in enumerate(every, first):
        host = i % 20 == 0
        found.append(msgspec.json.encode({
            "id": f"e{i:09d}", "source": "bench", "room": f"room-{i % rooms:05d}",
            "kind": "transcript" if host else "comment", "stage": "live", "at": at + i // 10,
            "offset_ms": i // 10 % 10_000_000,
            "speaker": {"role": "host", "id": "h"} if host else {"role": "viewer", "id": f"u{i % 9973:06d}"},
            "final": True, "text": text,
        }))
    return found


def batches(every: Sequence[bytes], size: int = BATCH) -> list[bytes]:
    return [b"\n".join(every[i : i + size]) for i in range(0, len(every), size)]


def text_hash(every: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(every).encode()).hexdigest()[:16]


def decoder() -> "msgspec.json.Decoder[Event]":
    return msgspec.json.Decoder(Event)
