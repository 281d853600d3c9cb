"""What judging a batch gives: the rules that hold, and for people, what became of each hit."""

from typing import NamedTuple

from monitor.domain.findings import Evasion, Opinion
from monitor.engine.compiled import CompiledRule
from monitor.engine.patterns import ContactSpan
from monitor.engine.scorer import Scorer, Scores
from monitor.engine.scoring import Weighed
from monitor.engine.views import Index


class Match(NamedTuple):
    """A rule that holds for event `event` of the batch. `spans`: code points of that event's text. `exempt`: the clause
    of an exemption that may apply. `pointed_at`: contact data that only the words of a rule in the shadow point at."""

    event: int
    rule: CompiledRule
    spans: tuple["MatchSpan", ...]
    evasive: Evasion | None
    asr_variant: bool
    scores: dict[str, float]
    opinion: Opinion
    surviving: frozenset[str]
    exempt: str = ""
    pointed_at: tuple[tuple[int, int], ...] = ()


class MatchSpan(NamedTuple):
    """`term`: what is meant, where it is written otherwise."""

    start: int
    end: int
    selection: str
    view: str
    term: str = ""


class Scored(NamedTuple):
    """What a classifier gave events of a batch (int64[k]): float32[k, categories]."""

    scorer: Scorer
    events: Index
    scores: Scores


class Judged(NamedTuple):
    """`matches` in order of event, then rule. `scored`: each event once, but for those that no classifier judges.
    `shadows`: matches of rules that are only tried; without them, all else would be the same."""

    matches: list[Match]
    contacts: list[ContactSpan]
    scored: list[Scored]
    shadows: list[Match]


class Fate(NamedTuple):
    """A hit in code points of the text; `taken_by`: the stage that took it away, "" where it stands."""

    selection: str
    start: int
    end: int
    view: str
    taken_by: str


class Explained(NamedTuple):
    """What one rule made of one text. `applies`: to its kind, speaker, stage, room and date. `phrases`: hits of the
    contexts that the rule names, by context. `scores`: those that its condition asks for; `unlikely`: those of its
    categories, where it asks a classifier and that finds all of them unlikely."""

    rule: CompiledRule
    applies: bool
    holds: bool
    hits: list[Fate]
    phrases: list[Fate]
    scores: list[Weighed]
    unlikely: list[Weighed]

    @property
    def judges(self) -> bool:
        """Whether it makes a finding of the text, where it is active."""
        return self.holds and self.applies and not self.unlikely
