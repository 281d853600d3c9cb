"""What an engine set is made of: rule files and classifiers, and the one way from them to it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from monitor.domain.errors import Fault, RuleError
from monitor.domain.rules import RoomContext, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.engine.scorer import Scorer
from monitor.engine.uncollected import uncollected
from monitor.engine.views import ViewTables
from monitor.services.bundles import Bundle
from monitor.services.casework import failing_cases


class Scorers(NamedTuple):
    """The classifiers of one engine set: `every` is for all tenants but those that have one of their `own`."""

    every: Scorer | None = None
    own: Mapping[str, Scorer] = MappingProxyType({})

    def of(self, tenant: str) -> Scorer | None:
        return self.own.get(tenant, self.every)


NOBODY: Final = Scorers()
"""Rules judge by themselves."""


class Shadows(NamedTuple):
    """The models that are tried. `own`: by tenant; None for one that a model of its own judges and none is tried on:
    that of all is tried where the one of all judges."""

    every: Scorer | None = None
    own: Mapping[str, Scorer | None] = MappingProxyType({})

    def of(self, tenant: str) -> Scorer | None:
        return self.own.get(tenant, self.every)


UNTRIED: Final = Shadows()


class RuleSource(Protocol):
    """Where rule files come from."""

    def read(self) -> Bundle:
        """The files as they are now. Raises RuleError or ConfigError."""
        ...

    def parse(self, bundle: Bundle) -> tuple[RuleSet, list[RoomContext]]:
        """Raises RuleError with all faults of all files."""
        ...

    def fingerprint(self) -> str:
        """Changes when a file changes; cheap enough to ask every second. Raises StorageError."""
        ...


class Models(Protocol):
    """Where classifiers come from."""

    def serving(self) -> Scorers:
        """Those that judge from now on. Raises ConfigError for a model that is not sound."""
        ...

    def shadows(self) -> Shadows:
        """Those that are tried beside them. Raises ConfigError or NotFound for one that cannot be."""
        ...

    def of(self, version: str) -> Scorer | None:
        """The one of this version; None where it is not kept any more."""
        ...

    def fingerprint(self) -> str:
        """Changes when another one is to serve, or to be tried; cheap enough to ask every second."""
        ...


class NoModels:
    def serving(self) -> Scorers:
        return NOBODY

    def shadows(self) -> Shadows:
        return UNTRIED

    def of(self, version: str) -> Scorer | None:
        return None

    def fingerprint(self) -> str:
        return ""


@uncollected()
def compiled(
    source: RuleSource, bundle: Bundle, tables: ViewTables, databases: Databases, scorers: Scorers = NOBODY, *,
    check: bool,
) -> EngineSet:
    """The engine set of these sources. `check`: only where all cases hold. Raises RuleError with what is wrong."""
    ruleset, rooms = source.parse(bundle)
    zone = ZoneInfo(bundle.zone)
    failures = failing_cases(ruleset, tables, zone, databases) if check else []
    if failures:
        raise RuleError([Fault(f.rule.path, f.case.line or f.rule.line, 1, str(f).split(": ", 1)[1],
                               "mend the rule or the case; `redpost rules test` shows all") for f in failures])
    return EngineSet(ruleset, tables, rooms=rooms, scorer=scorers.every, own=scorers.own, zone=zone,
                     beside=frozenset((Status.SHADOW,)), databases=databases)
