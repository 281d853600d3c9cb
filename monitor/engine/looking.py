"""What a set of rules looks for: read from the cache, or gathered, compiled and kept for the next start."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from monitor.domain.errors import Fault
from monitor.domain.ids import digest
from monitor.domain.rules import Rule
from monitor.domain.rulesets import RuleSet
from monitor.engine.compiled import CompiledContext, CompiledRule
from monitor.engine.databases import Databases
from monitor.engine.expressions import Needs, Reader
from monitor.engine.lexicon import Entries, Lexicon
from monitor.engine.views import ViewTables
from monitor.engine.vocabulary import Vocabulary, collected, gathered

_PATTERNS: Final = 20_000
"""Of so many patterns it is kept what they need, whatever set they are from."""
_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")

Lexicons = tuple[Lexicon, Lexicon, Lexicon]


class _Kept(Struct, frozen=True, array_like=True):
    chances: list[list[float]]
    lexicons: tuple[Entries, Entries, Entries]


class Looking:
    """`chances`: by rule and selection, about how likely a character of speech begins a hit."""

    def __init__(
        self, ruleset: RuleSet, running: Sequence[Rule], gates: Sequence[bool], tables: ViewTables,
        databases: Databases,
    ) -> None:
        """`gates`: which of them ask a classifier whether they may hold."""
        self._databases = databases
        self._sources = ruleset.sources
        self._tables = tables
        self._needs = _needs(tables)
        asked = _ENCODER.encode([[(rule.selections, rule.condition) for rule in running], ruleset.contexts, gates])
        self._key = digest("looking", self._needs, blake2b(asked, digest_size=16).hexdigest())
        self._kept = databases.kept(self._key, _Kept)
        self._reader = Reader(tables, {} if self._kept else databases.kept(self._needs, dict[str, Needs]) or {})
        if not self._kept:
            self._reader.read((pattern for rule in running for s in rule.selections for pattern in s.patterns),
                              databases.halved)
        self.chances = self._kept.chances if self._kept else [
            [self._reader.likelihood(selection) for selection in rule.selections] for rule in running]

    def lexicons(self, rules: Sequence[CompiledRule], contexts: Sequence[CompiledContext]) -> Lexicons:
        """For every text, gated, and late. Raises RuleError for what cannot be looked for."""
        if self._kept is not None:
            try:
                return self._ready(self._kept.lexicons)
            except LookupError:  # not all of it is kept any more
                pass
        found = gathered(rules, contexts, self._reader, self._databases, self._sources)
        self._databases.keep(self._needs, _newest(self._reader))
        self._databases.keep(self._key, _Kept(self.chances, found))
        return self._ready(found)

    def _ready(self, found: tuple[Entries, Entries, Entries]) -> Lexicons:
        early, gated, late = (Lexicon(entries, self._databases) for entries in found)
        return early, gated, late


def unfit(ruleset: RuleSet, broken: Iterable[Rule], tables: ViewTables, databases: Databases) -> list[Fault]:
    """What compiling would refuse of rules some of which cannot be compiled for other faults. `broken`: as far as those
    can be read, beside the sound ones of `ruleset`."""
    needs = _needs(tables)
    reader = Reader(tables, databases.kept(needs, dict[str, Needs]) or {})
    contexts = [CompiledContext(i, context, tables) for i, context in enumerate(ruleset.contexts.values())]
    numbers = {compiled.context.name: compiled.index for compiled in contexts}
    rules = [CompiledRule(i, rule, ZoneInfo("UTC"), numbers, list(map(reader.likelihood, rule.selections)))
             for i, rule in enumerate(ruleset.rules)]
    into = Vocabulary(reader), Vocabulary(reader), Vocabulary(reader, wordless=True)
    found = collected(rules, contexts, ruleset.sources, into, broken=broken)
    databases.keep(needs, _newest(reader))
    return found


def _needs(tables: ViewTables) -> str:
    """Under which key it is kept what patterns need."""
    return digest("needs", str(sorted(tables.meta.items())))


def _newest(reader: Reader) -> dict[str, Needs]:
    return dict(islice(reversed(reader.known.items()), _PATTERNS))
