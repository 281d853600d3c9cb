"""Cues: short messages to host and control room, while the broadcast runs."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from monitor.domain.alerts import Alert, AlertState
from monitor.domain.errors import Refused
from monitor.domain.events import HOST_SIDE
from monitor.domain.findings import Severity, Tier
from monitor.domain.moves import Outcome, Remedy
from monitor.domain.record import Record

MOST_OFTEN_MS: Final = 120_000
"""Rules cue a room at most once in so long."""
EARNED_DECISIONS: Final = 30
EARNED_PRECISION: Final = 0.9
"""What a rule has to show before it cues by itself."""
CURRENT_MS: Final = 1_800_000
"""How long a cue is shown to the room."""
MOST_CURRENT: Final = 20
LONGEST: Final = 500
CORRECTION_MS: Final = 300_000
"""How long after the words, or after a cue, a correction of the host's is taken for one of these words."""
DIRECTLY_MS: Final = 45_000
"""Within this, a correction needs to mention none of the words."""


class Answer(StrEnum):
    """Each takes the place of those before it, never the other way."""

    SEEN = "seen"
    CORRECTED = "corrected"
    NOT_SO = "not_so"


class Cue(Struct, frozen=True, kw_only=True):
    """`by`: a person, or `rule:<id>`. Times in UTC ms; `answered`: an Answer or "", `word`: what came with it;
    `corrected_at`: when the host was heard to correct it. `severity`: of its alert, "" where it was told before
    that was kept. `seq`: of the latest change, counted by room."""

    id: str
    tenant: str
    room: str
    broadcast: str
    alert: str
    by: str
    at: int
    say: str
    quote: str = ""
    clause: str = ""
    answered: str = ""
    answered_at: int | None = None
    word: str = ""
    corrected_at: int | None = None
    severity: str = ""
    seq: int = 0

    @property
    def corrected_after_s(self) -> int | None:
        """Seconds from the cue to the correction."""
        return None if self.corrected_at is None else max(self.corrected_at - self.at, 0) // 1_000


class CueRule(Record, frozen=True, kw_only=True):
    """How a rule cues; its id is the rule's. `automatic` false: never by itself, however often it was right. `say`:
    instead of the rule's advice."""

    kind: ClassVar[str] = "cue_rule"
    automatic: bool = True
    say: Annotated[str, Meta(max_length=LONGEST)] = ""
    reason: Annotated[str, Meta(max_length=2_000)] = ""


class Track(Struct, frozen=True):
    """How often decisions bore a rule out."""

    violations: int = 0
    decisions: int = 0


class RoomLink(Struct, frozen=True, kw_only=True):
    """Lets whoever has it see a room's cues. `id`: for people; of the secret in it only a hash is stored. UTC ms."""

    id: str
    tenant: str
    room: str
    by: str
    made_at: int
    expires_at: int
    revoked_at: int | None = None

    def valid(self, now: int) -> bool:
        return self.revoked_at is None and now < self.expires_at


class Corrected(Struct, frozen=True, kw_only=True):
    """The host was heard to correct it: when (UTC ms), how long after the words, in which event, how (masked). What it
    `proposes` is for a person to decide."""

    at: int
    after_s: int
    event: str
    quote: str = ""
    proposes: Remedy = Remedy.CORRECTED_ON_AIR


def earned(track: Track) -> bool:
    """Has a rule been right often enough to cue by itself?"""
    return track.decisions >= EARNED_DECISIONS and track.violations / track.decisions >= EARNED_PRECISION


def counted(outcome: Outcome | None) -> Track:
    """What a decision adds to its rule's track; None: there is none."""
    counts = outcome in (Outcome.VIOLATION, Outcome.NO_VIOLATION, Outcome.EXEMPT)
    return Track(int(outcome is Outcome.VIOLATION), int(counts))


def by_itself(alert: Alert, how: CueRule | None, track: Track, last_at: int | None, now: int) -> str:
    """Why its rule must not cue the room of this new alert by itself; "" where it may. `last_at`: when a rule cued the
    room last (UTC ms)."""
    told = alert.state is AlertState.OPEN and alert.lane == HOST_SIDE
    if not told or alert.tier in (Tier.CARE, Tier.ORIENTATION) or alert.severity is Severity.INFO:
        return "not_told"
    if how is not None and not how.automatic:
        return "switched_off"
    if not earned(track):
        return "not_earned"
    return "too_soon" if last_at is not None and now - last_at < MOST_OFTEN_MS else ""


def suggested(alert: Alert, how: CueRule | None) -> str:
    """What to say to the room: the rule's advice, or its rewrites."""
    if how is not None and how.say:
        return how.say
    if alert.advice.say:
        return alert.advice.say[:LONGEST]
    if alert.advice.rewrite:
        return "；".join(f"把「{old}」改为「{new}」" for old, new in list(alert.advice.rewrite.items())[:3])[:LONGEST]
    return f"请停止这一说法并当场更正：{alert.title}"[:LONGEST]


def quoted(alert: Alert) -> str:
    """The host's own words that were found; never a viewer's."""
    words = dict.fromkeys(span.text for span in alert.spans if span.text)
    return "…".join(words)[:200] if alert.lane == HOST_SIDE else ""


def answer(cue: Cue, given: Answer, word: str, now: int) -> Cue | None:
    """After the room's answer; None where it says nothing new, or less. *Not so* is the last word. Raises Refused for a
    cue that is no longer shown."""
    if now - cue.at >= CURRENT_MS:
        raise Refused("late", "this cue is no longer shown", hint="tell the reviewer directly")
    said = list(Answer)
    if cue.answered and said.index(Answer(cue.answered)) >= said.index(given):
        return None
    return replace(cue, answered=given.value, word=word, answered_at=now)


def corrects(text: str, at: int, *, said_at: int, cued_at: int | None, words: Iterable[str]) -> bool:
    """Is a correction (`text`, at UTC ms) one of the words that were said at `said_at`, with a cue at `cued_at`? It
    mentions them, or follows them or the cue directly. Text and words are folded alike."""
    since = max(said_at, cued_at) if cued_at is not None and cued_at <= at else said_at
    if not 0 <= at - since <= CORRECTION_MS:
        return False
    return at - since <= DIRECTLY_MS or any(word in text for word in words if word)
