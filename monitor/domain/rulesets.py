"""All that one rules folder says, as one value."""

from msgspec import Struct

from monitor.domain.clauses import Clause
from monitor.domain.correlations import CorrelationRule
from monitor.domain.rules import AnyRule, Context, Rule


class RuleSet(Struct, frozen=True):
    """All packs of one folder. `version`: content hash; `sources`: relative path → bytes, enough to load it again.
    `duties`: what an operator must do and keep; nothing is judged by them."""

    rules: tuple[Rule, ...]
    clauses: dict[str, Clause]
    version: str
    sources: dict[str, bytes]
    contexts: dict[str, Context] = {}
    correlations: tuple[CorrelationRule, ...] = ()
    duties: dict[str, Clause] = {}

    def all(self) -> list[AnyRule]:
        """Rules of both kinds, by id."""
        return sorted((*self.rules, *self.correlations), key=lambda rule: rule.id)
