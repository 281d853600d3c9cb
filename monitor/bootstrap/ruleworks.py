"""What people do with rules: the workbench, its trials and dry runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.adapters.bundled import bundled
from monitor.adapters.rulefiles import RuleFolder, load_sources
from monitor.adapters.rulefiles.schema import rule_schema
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.dry_runs import SqlDryRuns
from monitor.adapters.storage.rule_edits import SqlRuleEdits
from monitor.adapters.storage.shadows import SqlShadows
from monitor.bootstrap.post import PostDesks
from monitor.domain.tenants import LOCAL
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.services.dryrun import KEPT_MS, DryRuns
from monitor.services.ports import Archive, Clock, Logger, Sink
from monitor.services.rulebook import Rulebook
from monitor.services.ruletrying import RuleTrial
from monitor.services.rulework import Workbench
from monitor.services.shadows import ShadowDesk
from monitor.settings import Settings


def rule_folder(
    settings: Settings, databases: Databases, *, demo: bool = False, over: Callable[[], Mapping[str, bytes]] = dict,
) -> RuleFolder:
    default = bundled("config") / "demo/rooms.yml" if demo else None
    rooms = Path(settings.rules.rooms) if settings.rules.rooms else default
    return RuleFolder(Path(settings.rules.dir) if settings.rules.dir else bundled("rules"), rooms=rooms,
                      zone=settings.tenant.zone, over=over, databases=databases)


class RuleWorks:
    """`await load()` before the rules are read for the first time."""

    def __init__(
        self, database: Database, folder: RuleFolder, rulebook: Rulebook, log: Sink, archive: Archive, post: PostDesks,
        settings: Settings, *, clock: Clock, logger: Logger, shared: bool,
    ) -> None:
        """`shared`: other processes have a workbench, too."""
        def engine() -> EngineSet:
            return rulebook.current

        self._laid_over = settings.rules.edits
        self.trial = RuleTrial(archive, load_sources, engine, clock)
        self.dry_runs = DryRuns(self.trial, archive, post.organising, engine, post.posts, clock, logger,
                                settings.alerts.grouping(), SqlDryRuns(database),
                                keep_ms=min(KEPT_MS, settings.events.keep_days * 86_400_000))
        self.shadows = ShadowDesk(SqlShadows(database), lambda: engine().ruleset, ZoneInfo(settings.tenant.zone), clock)
        self.workbench = Workbench(
            SqlRuleEdits(database), parse=load_sources, folder=folder.own_files, engine=engine, schema=rule_schema(),
            reload=lambda: rulebook.reload(log), clock=clock, logger=logger, budget=self.dry_runs.to_confirm,
            shared=shared)

    def laid(self) -> Mapping[str, bytes]:
        """What lies over the files of the rules folder."""
        return self.workbench.laid() if self._laid_over else {}

    async def load(self) -> None:
        await self.workbench.load()

    async def refresh(self) -> None:
        """Take what other processes did."""
        await self.workbench.refresh()

    async def pass_time(self) -> None:
        await self.workbench.pass_time(LOCAL)
