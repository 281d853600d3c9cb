"""Statements that must be heard: deadlines, worked out anew from what began them and what was heard.

So it does not matter in which order these arrive, and whatever arrives late or is withdrawn corrects what was reported.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from monitor.domain.correlations import STARTED, CorrelationRule
from monitor.engine.correlation_events import EventRef, Struck, Why, standing
from monitor.engine.correlation_lanes import lanes_in
from monitor.engine.correlation_state import NEVER, Chain, Duty

_CHAINS: Final = 64
_FIRSTS: Final = 8
_MISSES: Final = 100
"""Deadlines in a row that nobody meets; then time has jumped, or nobody listens."""


class Demand:
    """An absence rule made ready. `once`: it begins once a broadcast, with what came first."""

    def __init__(self, rule: CorrelationRule) -> None:
        correlation = rule.correlation
        after = correlation.after
        self.rule, self.id = rule, rule.id
        self.within, self.every = correlation.within_ms, correlation.every_ms
        self.unless = correlation.unless
        self.lanes = lanes_in(rule.applies)
        self.first = after.rule if after is not None else ""
        self.signal = "" if self.first else after.signal or STARTED if after is not None else STARTED
        self.once = self.signal in ("", STARTED)

    def begin(self, duty: Duty, ref: EventRef) -> Why | None:
        """What the statement must follow has happened; why that does not count."""
        if ref.at < duty.folded:
            return Why.LATE
        if duty.began:
            return None
        if self.once:
            _insert(duty.firsts, ref)
            del duty.firsts[_FIRSTS:]
            self._restart(duty)
        elif all(chain.since != ref.at for chain in duty.chains):
            if len(duty.chains) >= _CHAINS:
                return Why.FULL
            duty.chains.append(Chain(ref.at, ref.at + self.within))
        return None

    def hear(self, duty: Duty, ref: EventRef) -> bool:
        """The statement was heard; False where that is too long ago to change anything."""
        if ref.at < duty.folded:
            return False
        _insert(duty.heard, ref)
        return True

    def thin(self, duty: Duty) -> bool:
        """Where most of what was heard was heard at one time, the first, one of it may go; False elsewhere."""
        if duty.heard[0].at < duty.heard[len(duty.heard) // 2].at:
            return False
        del duty.heard[0]
        return True

    def strike(self, duty: Duty, struck: Struck) -> bool:
        """Forget events; False where none of them was known."""
        firsts, heard = standing(duty.firsts, struck), standing(duty.heard, struck)
        if len(firsts) == len(duty.firsts) and len(heard) == len(duty.heard):
            return False
        restart = firsts != duty.firsts
        duty.firsts, duty.heard = firsts, heard
        if restart:
            self._restart(duty)
        return True

    def settle(self, duty: Duty, mark: int, ended: int | None) -> tuple[dict[int, int], list[int]]:
        """Deadlines before `mark` that are missed and were not known to be, each with the time since which nothing was
        heard; and those that were known and are not missed. `ended`: when the broadcast was over."""
        missed: dict[int, int] = {}
        duty.next_due = NEVER
        for chain in duty.chains:
            after = self._follow(chain, duty.heard, mark, ended, missed)
            if ended is None or after.due <= ended:
                duty.next_due = min(duty.next_due, after.due)
        new = {due: missed[due] for due in sorted(missed) if due not in duty.missed}
        gone = [due for due in duty.missed if due not in missed and due >= duty.folded]
        duty.missed = sorted({*duty.missed, *new}.difference(gone))
        return new, gone

    def fold(self, duty: Duty, before: int, ended: int | None) -> None:
        """What happened before that time is settled for good."""
        if before <= duty.folded:
            return
        settled: dict[tuple[int, int], Chain] = {}
        heard = [ref for ref in duty.heard if ref.at < before]
        for chain in duty.chains:
            after = self._follow(chain, heard, before, ended, {})
            if after.due < NEVER:
                settled.setdefault((after.since, after.due), after)
        duty.chains = list(settled.values())
        duty.heard = duty.heard[len(heard):]
        duty.missed = [due for due in duty.missed if due >= before]
        if duty.firsts and duty.firsts[0].at < before:
            duty.firsts = []
            duty.began = True
        duty.folded = before

    def _restart(self, duty: Duty) -> None:
        if not duty.began:
            duty.chains = [Chain(ref.at, ref.at + self.within) for ref in duty.firsts[:1]]

    def _follow(
        self, chain: Chain, heard: Iterable[EventRef], mark: int, ended: int | None, missed: dict[int, int]
    ) -> Chain:
        """The chain as it stands at `mark`; deadlines before that which nobody met are added to `missed`."""
        since, due = chain.since, chain.due
        end = mark if ended is None else min(mark, ended + 1)
        left = _MISSES

        def miss(until: int) -> None:
            nonlocal due, left
            while due < min(until, end):
                missed.setdefault(due, since)
                left -= 1
                due = due + self.every if self.every and left else NEVER

        for ref in heard:
            if ref.at < chain.since:
                continue
            miss(ref.at)
            if due == NEVER:
                break
            since, due = ref.at, ref.at + self.every if self.every else NEVER
        miss(end)
        return Chain(since, due)


def _insert(refs: list[EventRef], ref: EventRef) -> None:
    """In order, and only once."""
    place = bisect_left(refs, EventRef(*ref[:4], "", 0))
    if place == len(refs) or refs[place][:4] != ref[:4]:
        refs.insert(place, ref)
