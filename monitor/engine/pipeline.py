"""views → match → score → evaluate, for one batch. Python runs per batch and per hit, never per character.

What a batch is cut into does not change what is found.
"""

from collections.abc import Container, Iterator, Set
from functools import partial
from itertools import groupby
from operator import attrgetter, itemgetter

import numpy as np
from numpy.typing import NDArray

from monitor.domain.frames import MOST_TEXT
from monitor.domain.rules import DIVERSION, Status
from monitor.engine.batch import CODES, Batch, parts_of
from monitor.engine.compiled import IF_SELLING, CompiledRule
from monitor.engine.conditions import (
    SILENCE,
    Heard,
    Hit,
    Missed,
    bits_of,
    evasion_of,
    genuine,
    heard,
    meant,
    outermost,
    reached_by,
    stages,
    surviving,
    variant_of,
)
from monitor.engine.detectors_handles import after_cue
from monitor.engine.detectors_spans import apart
from monitor.engine.engineset import EngineSet
from monitor.engine.facts import Facts
from monitor.engine.judged import Explained, Fate, Judged, Match, MatchSpan, Scored
from monitor.engine.patterns import ContactSpan
from monitor.engine.shares import shares
from monitor.engine.sightings import Pairs, Seen, Sightings, among, together
from monitor.engine.views import Index, Views, changes, span_of


def explain(engine: EngineSet, batch: Batch) -> list[Explained]:
    """All rules that have a hit in the one event of the batch, or a score that is enough, those that hold first. Rules
    on scores alone are left out where they would give way."""
    engine = engine.of(batch.room(0)[0])
    judging = _Judging(engine, batch, ungated=True)
    pairs = judging.seen()
    judging.look_late(pairs)
    judging.look_around(pairs)
    judging.matches(judging.promising(judging.candidates()))
    found = [judging.explain(engine.rules[index], event) for event, index in pairs
             if judging.scan.early.of(event, index) or engine.rules[index].by_score]
    said = {name for each in found if each.judges and not each.rule.by_score
            and each.rule.rule.id not in engine.correlations.silenced
            and each.rule.rule.status is Status.ACTIVE for name in each.rule.rule.category}
    return sorted((each for each in found if not each.rule.by_score or said.isdisjoint(each.rule.rule.category)),
                  key=lambda each: (not each.judges, each.rule.rule.id))


def looked_at(engine: EngineSet, batch: Batch) -> Iterator[tuple[int, CompiledRule, list[str]]]:
    """(event, rule, words) for what is not settled by what is looked for in every text: the rest of the rule is looked
    for in this text, because of these words."""
    judging = _Judging(engine, batch)
    for event, index in judging.candidates():
        hits = judging.scan.early.of(event, index)
        if engine.rules[index].promising_early(bits_of(hits)):
            yield event, engine.rules[index], sorted({judging.views.plain_text[hit.start : hit.end] for hit in hits})


def judge(engine: EngineSet, batch: Batch, *, skip: Set[int] = frozenset()) -> Judged:
    """All rules on all events of a batch, each beside its tenant's classifier, `MOST_TEXT` code points at once; events
    in `skip` are searched for contact data only."""
    some = shares(engine, batch, MOST_TEXT)
    if len(some) == 1 and some[0].batch is batch:
        return _judge(some[0].engine, batch, skip)
    whole = Judged([], [], [], [])
    for share in some:
        at = share.events.tolist()
        judged = _judge(share.engine, share.batch, {i for i, event in enumerate(at) if event in skip} if skip else skip)
        whole.matches.extend(match._replace(event=at[match.event]) for match in judged.matches)
        whole.shadows.extend(match._replace(event=at[match.event]) for match in judged.shadows)
        whole.contacts.extend(contact._replace(event=at[contact.event]) for contact in judged.contacts)
        whole.scored.extend(scored._replace(events=share.events[scored.events]) for scored in judged.scored)
    whole.matches.sort(key=attrgetter("event"))
    whole.shadows.sort(key=attrgetter("event"))
    whole.contacts.sort(key=attrgetter("event"))
    return whole


def _judge(engine: EngineSet, batch: Batch, skip: Set[int]) -> Judged:
    if not len(batch.starts):
        return Judged([], [], [], [])
    judging = _Judging(engine, batch)
    pairs = judging.candidates(skip)
    judging.look_late(pairs)
    pairs = judging.promising(pairs)
    judging.look_around(pairs)
    held, silent = judging.matches(pairs), engine.correlations.silenced
    matches = _without_echoes([match for match in held if not match.rule.aside], silent)
    pointed_at = judging.pointed_at(matches)
    shadows = [match._replace(pointed_at=tuple((c.start, c.end) for c in judging.pointed_at([match])))
               for match in _without_echoes(held, silent) if match.rule.aside] if engine.shadows else []
    contacts = judging.scan.contacts
    scores = judging.facts.scores
    scored = [] if engine.scorer is None or scores is None else [
        Scored(engine.scorer, np.arange(len(scores)), scores)]
    return Judged(matches, sorted({*contacts, *pointed_at}) if pointed_at else contacts, scored, shadows)


def _without_echoes(matches: list[Match], silent: Container[str]) -> list[Match]:
    """A score says nothing more where a rule says the same of the text: it is that finding's then; nor does it say
    anything twice, for rules with several thresholds. `silent`: rules that make no finding."""
    said = {(match.event, name) for match in matches if not match.rule.by_score and match.rule.rule.id not in silent
            for name in match.rule.rule.category}
    left = []
    for match in matches:
        if match.rule.by_score:
            of = {(match.event, name) for name in match.rule.rule.category}
            if not said.isdisjoint(of):
                continue
            said |= of
        left.append(match)
    return left


class _Judging:
    """One batch under judgement. `look_late` comes before `promising`, and `look_around` before `evaluate` and
    `explain`, which go text by text."""

    def __init__(self, engine: EngineSet, batch: Batch, *, ungated: bool = False) -> None:
        """`ungated`: look for what the classifier finds unlikely, too."""
        self._engine, self._batch, self._code = engine, batch, batch.code
        self.views = Views(engine.tables, batch.text)
        contacts = engine.matcher.contacts(self.views, batch.starts)
        self.facts = Facts(engine, batch, self.views, contacts)
        self.scan = engine.matcher.scan(self.views, batch.starts, batch.codes, contacts,
                                        None if ungated else self.facts.likely)
        self._begins: list[int] = batch.starts.tolist()
        self._texts: Sightings
        self._late: Seen
        self._around: Seen
        self._heard_in = -1
        self._heard: dict[int, Heard] = {}

    def seen(self) -> Pairs:
        """What is looked for in every text, and what scores carry."""
        return together([self.facts.carrying(), self.scan.early.pairs])

    def candidates(self, skip: Set[int] = frozenset()) -> Pairs:
        """Where a rule could hold, by what is seen at once; text by text."""
        rules, seen = self._engine.rules, self.seen()
        seen = seen.chosen([rules[index].promising_early(parts) for index, parts in seen.asked()])
        if self.facts.scores is not None:  # what the scan saw applies already
            seen = seen.chosen(self._codes(seen) > 0)
        if skip:
            seen = seen.chosen(~np.isin(seen.events, list(skip)))
        bound = self._engine.bound.take(seen.owners)
        if bound.any():
            seen = seen.chosen([not depends or self.applies(rules[index], event)
                                for (event, index), depends in zip(seen, bound.tolist(), strict=True)])
        return seen

    def look_late(self, pairs: Pairs) -> None:
        """For what of these rules only matters now, since they could hold."""
        late = pairs.chosen(self._engine.matcher.late_rules[pairs.owners] | (self._codes(pairs) == IF_SELLING))
        events = late.events[changes(late.events)].tolist()
        self._texts = self._engine.matcher.late(self.scan, events, self.views, self._batch.starts)
        self._late = self._ask(late.events, late.owners)

    def promising(self, pairs: Pairs) -> Pairs:
        """Where a rule could still hold."""
        rules, pairs = self._engine.rules, pairs.beside(self._late.pairs)
        return pairs.chosen([rules[index].promising(parts) for index, parts in pairs.asked()])

    def look_around(self, pairs: Pairs) -> None:
        """For the contexts that these rules ask for."""
        hears = self._engine.hears.take(pairs.owners, axis=0)
        selling = np.flatnonzero(self._codes(pairs) == IF_SELLING)
        for context in self._engine.trading if selling.size else ():
            if context is not None:
                hears[selling, context.index] = True
        which, contexts = np.nonzero(hears)
        self._around = self._ask(pairs.events[which], -1 - contexts)

    def _ask(self, events: Index, owners: Index) -> Seen:
        return self._texts.ask(
            among(events, owners, len(self._begins), self._engine.matcher.owners) if events.size else None)

    def _codes(self, pairs: Pairs) -> NDArray[np.uint8]:
        """What the rule of each says of such an event."""
        return self._engine.matcher.codes.take(pairs.owners * CODES + self._batch.codes(pairs.events))

    def applies(self, rule: CompiledRule, event: int) -> bool:
        """To such an event; `minds` says the rest, late."""
        batch, scope = self._batch, rule.scope
        if not rule.codes[self._code(event)] or not scope.in_force(batch.at(event)):
            return False
        return not scope.room_bound or self._engine.active_in(rule, batch.room(event))

    def minds(self, rule: CompiledRule, event: int) -> bool:
        """Of an unknown speaker, a rule for sellers minds what sells and says nothing that a buyer would."""
        if rule.codes[self._code(event)] != IF_SELLING:
            return True
        selling, buying = self._engine.trading
        return bool(selling and self._context(event, selling.index).hits) and not (
            buying and self._context(event, buying.index).hits)

    def matches(self, pairs: Pairs) -> list[Match]:
        """What holds of what is promising, by event, then rule. What asks for scores only comes last: a lower one is
        enough where another rule nearly holds."""
        rules, found = self._engine.rules, list[Match]()
        for event, index in sorted(pairs, key=lambda pair: rules[pair[1]].by_score):
            rule = rules[index]
            result = self.evaluate(rule, event)
            if isinstance(result, Match):
                found.append(result)
            elif result is not Missed.FAR and not rule.by_score and self._finds(rule):
                self.facts.nearly(rule, event, spared=result is Missed.SPARED)
        return sorted(found, key=lambda match: (match.event, match.rule.index))

    def _finds(self, rule: CompiledRule) -> bool:
        """Does it make findings?"""
        return rule.rule.status is Status.ACTIVE and rule.rule.id not in self._engine.correlations.silenced

    def evaluate(self, rule: CompiledRule, event: int) -> Match | Missed:
        early = genuine(self.scan.early.of(event, rule.index), self.views)
        late = self._late.parts(event, rule.index)
        if not self.minds(rule, event):
            return Missed.FAR
        if not rule.promising(bits_of(early) | late):
            return Missed.NEARLY
        hits = meant(rule, early + genuine(self._late.of(event, rule.index), self.views)) if late else early
        if not rule.promising(bits_of(hits)):
            return Missed.NEARLY
        exempting: list[Hit] = []
        if rule.exempt is not None:
            exempting = [h for h in hits if h.selection == rule.exempt.by]
            hits = [h for h in hits if h.selection != rule.exempt.by]
        left = surviving(rule, hits, self.views, partial(self._context, event), self._engine.contexts,
                         self.facts.proved(event), self.facts.priced(event))
        if isinstance(left, Missed):
            return left
        hits = left + [Hit(mention.by, h.start, h.end, h.view, h.form)
                       for mention in rule.mentions for c in mention.contexts for h in self._context(event, c).hits]
        bits, unknown, known = self.facts.of(rule, event)
        if not rule.holds(bits | bits_of(hits), unknown):
            return Missed.NEARLY
        shown = outermost([h for h in hits if rule.shown >> h.selection & 1])
        clause = ""
        if rule.exempt is not None and rule.rule.exempt is not None and exempting:
            exempts = reached_by(exempting, 1 << rule.exempt.by, rule.exempt, self.views)
            if any(exempts(h.start, h.end) for h in shown):
                clause = rule.rule.exempt.clause
        return self._match(rule, event, hits, shown, known, clause)

    def pointed_at(self, matches: list[Match]) -> set[ContactSpan]:
        """Ids beside the hits of rules about diversion, whose cues no detector may know; none that is found already."""
        cues = [(m.event, span.start, span.end) for m in matches if m.rule.rule.sub == DIVERSION for span in m.spans]
        found: set[ContactSpan] = set()
        for event, spans in groupby(sorted(set(cues)), key=itemgetter(0)):
            text = self.views.plain_text[slice(*span_of(event, self._begins, self.views))]
            known = [(c.start, c.end) for c in self.scan.contacts if c.event == event and c.masked]
            ids = (each for _, start, end in spans for each in after_cue(text, start, end))
            new = set(apart([*known, *ids], len(text))).difference(known)
            found.update(ContactSpan(event, start, end, "handle") for start, end in new)
        return found

    def explain(self, rule: CompiledRule, event: int) -> "Explained":
        """Every hit of the rule with what took it away, and whether the condition holds on the rest."""
        hits = self._hits(rule, event)
        base, fates = self._begins[event], dict.fromkeys(hits, "")
        left = set(hits)
        for stage, rest in stages(rule, hits, self.views, partial(self._context, event), self._engine.contexts,
                                  self.facts.proved(event), self.facts.priced(event)):
            fates.update((hit, stage) for hit in left.difference(rest))
            left.intersection_update(rest)
        holds = isinstance(self.evaluate(rule, event), Match)
        told = [Fate(rule.names[h.selection], h.start - base, h.end - base, h.view, fate)
                for h, fate in sorted(fates.items(), key=lambda each: (each[0].start, each[0].end))
                if fate != "allow" or not rule.allow >> h.selection & 1]
        spoken = [Fate(self._engine.contexts[c].context.name, h.start - base, h.end - base, h.view, "")
                for c in sorted(rule.contexts) for h in self._context(event, c).hits]
        applies = self.applies(rule, event) and self.minds(rule, event)
        return Explained(rule, applies, holds, told, spoken, *self.facts.weighed(rule, event))

    def _hits(self, rule: CompiledRule, event: int) -> list[Hit]:
        """All hits of the rule in this text."""
        raw = self.scan.early.of(event, rule.index) + self._late.of(event, rule.index)
        return meant(rule, genuine(raw, self.views))

    def _context(self, event: int, index: int) -> Heard:
        """What is heard of a context; looked at once in a text."""
        if not self._around.parts(event, -1 - index):
            return SILENCE
        if event != self._heard_in:
            self._heard_in, self._heard = event, {}
        if index not in self._heard:
            raw = self._around.of(event, -1 - index)
            self._heard[index] = heard(self._engine.contexts[index], genuine(raw, self.views), self.views,
                                       span_of(event, self._begins, self.views))
        return self._heard[index]

    def _match(
        self, rule: CompiledRule, event: int, hits: list[Hit], shown: list[Hit], scores: dict[str, float], exempt: str
    ) -> Match:
        base, text = self._begins[event], self._batch.text
        kind = parts_of(self._code(event))[0]
        evasions = [variant_of(evasion_of(hit, text, self.views), kind) for hit in shown]
        spans = tuple(
            MatchSpan(h.start - base, h.end - base, rule.names[h.selection], h.view,
                      h.form.term if h.form and any(how) else "")
            for h, how in zip(shown, evasions, strict=True))
        return Match(
            event, rule, spans,
            evasive=next((evasive for evasive, _ in evasions if evasive), None),
            asr_variant=any(variant for _, variant in evasions),
            scores=scores,
            opinion=self.facts.opinion(rule, event),
            surviving=frozenset(rule.names[h.selection] for h in hits),
            exempt=exempt,
        )
