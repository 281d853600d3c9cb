"""Edited rule files in memory."""

from collections.abc import Mapping

from monitor.domain.audit import Deed
from monitor.domain.errors import Conflict
from monitor.services.dryrecords import DryRun, KeptRun
from monitor.services.recordings import Trail
from monitor.services.ruleeditions import Edition, Released, RuleFigures, RuleRelease
from monitor.services.shadows import ShadowNotes


class MemoryRuleEdits:
    """Implements `RuleEdits`."""

    def __init__(self, trail: Trail, figures: Mapping[str, RuleFigures] | None = None) -> None:
        self.texts: dict[tuple[str, int], tuple[Edition, bytes]] = {}
        self.kept: dict[int, RuleRelease] = {}
        self._trail, self._figures = trail, dict(figures or {})
        self.fail: Exception | None = None

    async def editions(self) -> list[Edition]:
        return [edition for _, (edition, _) in sorted(self.texts.items())]

    async def releases(self) -> list[RuleRelease]:
        return [release for _, release in sorted(self.kept.items())]

    async def text(self, path: str, version: int) -> bytes | None:
        found = self.texts.get((path, version))
        return None if found is None else found[1]

    async def add(self, edition: Edition, text: bytes, deed: Deed) -> None:
        latest = max((version for path, version in self.texts if path == edition.path), default=0)
        if latest != edition.version - 1:
            raise Conflict(f"{edition.path} has version {latest} by now")
        self.texts[edition.path, edition.version] = edition, text
        await self._trail.write([deed])

    async def keep(self, release: RuleRelease, deed: Deed) -> RuleRelease:
        if self.fail is not None:
            raise self.fail
        if not release.id:
            release = RuleRelease(**{**{name: getattr(release, name) for name in release.__struct_fields__},
                                     "id": len(self.kept) + 1})
        elif self.kept[release.id].state is not Released.WAITING:
            raise Conflict(f"release {release.id} waits no more")
        self.kept[release.id] = release
        await self._trail.write([deed])
        return release

    async def figures(self, tenant: str, since: int) -> dict[str, RuleFigures]:
        return self._figures


class MemoryDryRuns:
    """Implements `KeptRuns`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], KeptRun] = {}
        self.fail: Exception | None = None

    async def run(self, tenant: str, path: str) -> KeptRun | None:
        return self.kept.get((tenant, path))

    async def begin(self, tenant: str, run: DryRun, *, since: int, most: int) -> None:
        self.kept[tenant, run.path] = KeptRun(run, run.asked_at)

    async def change(self, tenant: str, run: DryRun, *, alive_at: int | None) -> bool:
        if self.fail is not None:
            raise self.fail
        before = self.kept.get((tenant, run.path))
        if before is None or before.run.asked_at != run.asked_at or before.alive_at is None:
            return False
        self.kept[tenant, run.path] = KeptRun(run, alive_at)
        return True

    async def abandon(self) -> None:
        self.kept = {name: KeptRun(kept.run, None) for name, kept in self.kept.items()}


class MemoryShadows:
    """Implements `KeptShadows`. `kept`: by tenant, rule and version."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], ShadowNotes] = {}

    async def notes(self, tenant: str, rule: str, version: str, *, since: int) -> ShadowNotes:
        return self.kept.get((tenant, rule, version), ShadowNotes(None, {}, []))
