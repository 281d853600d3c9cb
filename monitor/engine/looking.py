"""What a set of rules looks for: read from the cache, or gathered, compiled and kept for the next start."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.ids import digest
from monitor.domain.rules import Rule
from monitor.domain.rulesets import RuleSet
from monitor.engine.compiled import CompiledContext, CompiledRule
from monitor.engine.databases import Databases
from monitor.engine.expressions import Needs, Reader
from monitor.engine.lexicon import Entries, Lexicon
from monitor.engine.views import ViewTables
from monitor.engine.vocabulary import gathered

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
        self._needs = digest("needs", str(sorted(tables.meta.items())))
        asked = _ENCODER.encode([[(rule.selections, rule.condition) for rule in running], ruleset.contexts, gates])
        self._key = digest("looking", self._needs, blake2b(asked, digest_size=16).hexdigest())
        self._kept = databases.kept(self._key, _Kept)
        self._reader = Reader(tables, {} if self._kept else databases.kept(self._needs, dict[str, Needs]) or {})
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
        self._databases.keep(self._needs, dict(islice(reversed(self._reader.known.items()), _PATTERNS)))
        self._databases.keep(self._key, _Kept(self.chances, found))
        return self._ready(found)

    def _ready(self, found: tuple[Entries, Entries, Entries]) -> Lexicons:
        early, gated, late = (Lexicon(entries, self._databases) for entries in found)
        return early, gated, late
