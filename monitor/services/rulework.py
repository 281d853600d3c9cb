"""The rules workbench: texts of rule files as people write them, by version, and which of them judge.

The rules folder is never written: what is published lies over its files, by path, and is kept in the store. So a
shipped pack, a folder under version control and one that is mounted read-only are edited in the same way, and going
back to version 0 is going back to the folder.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec.structs import replace

from monitor.domain.audit import SYSTEM, Deed
from monitor.domain.errors import InputError, NotFound, RedpostError, Refused
from monitor.domain.people import Actor
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from monitor.services.ports import Clock, Logger
from monitor.services.rulebook import ReloadResult
from monitor.services.ruleeditions import (
    Edition,
    FileRow,
    FileView,
    Publishing,
    Released,
    RuleEdits,
    RuleFigures,
    RuleList,
    RuleRelease,
    RuleRow,
    Saving,
    judging,
    published,
)
from monitor.services.ruleparts import Parse, cases_of, checked_path, part

FIGURES_MS: Final = 30 * 86_400_000
_FRESH_MS: Final = 30_000
_LATEST_MS: Final = 30 * 86_400_000
"""How far ahead a file may be published."""


Reload = Callable[[], Awaitable[ReloadResult]]
Budget = Callable[[Actor, str, bytes], Awaitable[int | None]]
"""What must be confirmed before this text of a file is published; None: nothing."""


async def _nothing(actor: Actor, path: str, text: bytes) -> int | None:
    return None


class Workbench:
    """`await load()` before the rules are first read. Used from one event loop; `laid` from any thread."""

    def __init__(
        self, edits: RuleEdits, *, parse: Parse, folder: Callable[[], Mapping[str, bytes]],
        engine: Callable[[], EngineSet], reload: Reload, clock: Clock, logger: Logger,
        schema: Mapping[str, Any], budget: Budget = _nothing, shared: bool = False,
    ) -> None:
        """`folder`: the files of the rules folder as they are; `schema`: the JSON Schema of a rule file. `shared`:
        other processes save and publish, too."""
        self.schema = schema
        self._edits, self._parse, self._folder, self._engine = edits, parse, folder, engine
        self._reload, self._clock, self._logger, self.budget = reload, clock, logger, budget
        self._laid: dict[str, bytes] = {}
        self._editions: dict[str, list[Edition]] = {}
        self._releases: list[RuleRelease] = []
        self._figures: dict[str, tuple[int, dict[str, RuleFigures]]] = {}
        self._publishing, self._shared = asyncio.Lock(), shared

    @property
    def ruleset(self) -> RuleSet:
        """What judges now."""
        return self._engine().ruleset

    def laid(self) -> Mapping[str, bytes]:
        """What lies over the files of the folder, by path."""
        return self._laid

    async def load(self) -> None:
        self._releases, self._editions = await self._edits.releases(), {}
        for edition in await self._edits.editions():
            self._editions.setdefault(edition.path, []).append(edition)
        self._laid = await published(self._edits, self._releases)

    async def refresh(self) -> None:
        """Take what other processes saved and published."""
        if self._shared:
            async with self._publishing:
                await self.load()

    async def listed(self, tenant: str) -> RuleList:
        await self.refresh()
        engine, figures = self._engine(), await self._figures_of(tenant)
        rules = [self._row(rule, figures.get(rule.id, RuleFigures())) for rule in engine.ruleset.all()]
        titles = {row.path: row for row in rules}
        paths = sorted({*engine.ruleset.sources, *self._editions})
        return RuleList(engine_set=engine.version, rules=rules, waiting=self._waiting(),
                        files=[self._file(path, engine, titles.get(path)) for path in paths])

    async def file(self, path: str, version: int | None = None) -> FileView:
        """Raises NotFound. Version 0 of a file that the folder lacks is empty: to publish it is to take it away."""
        checked_path(path)
        await self.refresh()
        editions = self._editions.get(path, [])
        latest = self._latest(path)
        shown = latest if version is None else version
        loaded = path in self._engine().ruleset.sources
        text = await self._text(path, shown)
        return FileView(
            path=path, text=text.decode(errors="replace"), shown=shown, version=self._version(path), latest=latest,
            loaded=loaded, editions=editions[::-1], releases=[r for r in reversed(self._releases) if r.path == path])

    async def save(self, actor: Actor, saving: Saving) -> Edition:
        """A new version, which judges nothing yet. Raises RuleError with its faults, Conflict."""
        path, text = checked_path(saving.path), saving.text
        engine = self._engine()
        made = await asyncio.to_thread(part, engine.ruleset, path, text, self._parse)
        rules = [rule for rule in made.ruleset.all() if rule.path == path]
        count, failed = await asyncio.to_thread(cases_of, made, engine) if made.own else (0, [])
        edition = Edition(
            path=path, version=saving.base + 1, by=actor.id, at=self._clock.now(), note=saving.note,
            rules=tuple(rule.id for rule in rules), title=rules[0].title if rules else "", cases=count,
            failed=len(failed))
        await self._edits.add(edition, text.encode(), Deed(
            tenant=actor.tenant, by=actor.id, at=edition.at, what="rule.save", on=path,
            facts={"version": edition.version, "cases": count, "failed": edition.failed}))
        if not self._shared:  # else it is read with those of the others
            self._editions.setdefault(path, []).append(edition)
        return edition

    async def publish(self, actor: Actor, asked: Publishing) -> RuleRelease:
        """Raises Refused where a case of it does not hold, or where it must be confirmed; RuleError, after which all
        judges on as it did."""
        path, now = checked_path(asked.path), self._clock.now()
        await self.refresh()
        text = await self._text(path, asked.version)
        await self._check(actor, asked, text)
        due = now if asked.at is None else asked.at
        if due > now + _LATEST_MS:
            raise InputError("that is more than 30 days ahead", hint="choose an earlier time")
        release = RuleRelease(path=path, version=asked.version, by=actor.id, at=now, due=due)
        async with self._publishing:
            if due > now:
                return await self._kept(release, actor.tenant, actor.id, "rule.schedule")
            return await self._laid_over(release, actor.tenant, actor.id)

    async def cancel(self, actor: Actor, number: int) -> RuleRelease:
        """Raises NotFound, Conflict."""
        await self.refresh()
        async with self._publishing:
            found = next((r for r in self._releases if r.id == number), None)
            if found is None:
                raise NotFound(f"there is no release {number}")
            return await self._kept(replace(found, state=Released.CANCELLED), actor.tenant, actor.id, "rule.cancel")

    async def pass_time(self, tenant: str) -> None:
        """Publish what is due. `tenant`: into whose trail that is written."""
        for release in self._waiting():
            if release.due <= self._clock.now():
                with suppress(RedpostError):  # kept with its fault, and said in the log
                    async with self._publishing:
                        await self._due(release, tenant)

    async def _due(self, release: RuleRelease, tenant: str) -> None:
        try:
            await self._laid_over(release, tenant, SYSTEM)
        except RedpostError as error:
            if error.retryable:
                return
            self._logger.warning("release_refused", path=release.path, version=release.version, error=str(error))
            refused = replace(release, state=Released.REFUSED, fault=str(error)[:2_000])
            await self._kept(refused, tenant, SYSTEM, "rule.refuse")

    async def _laid_over(self, release: RuleRelease, tenant: str, by: str) -> RuleRelease:
        """Let it judge; where that fails, all is as it was."""
        if self._shared:
            await self.load()
        before = self._laid
        after = {path: text for path, text in before.items() if path != release.path}
        if release.version:
            after[release.path] = await self._text(release.path, release.version)
        self._laid = after
        try:
            await self._reload()
        except BaseException:
            self._laid = before
            raise
        try:
            done = replace(release, state=Released.DONE, done_at=self._clock.now())
            return await self._kept(done, tenant, by, "rule.publish")
        except BaseException:
            self._laid = before
            with suppress(RedpostError):
                await self._reload()
            raise

    async def _kept(self, release: RuleRelease, tenant: str, by: str, what: str) -> RuleRelease:
        kept = await self._edits.keep(release, Deed(
            tenant=tenant, by=by, at=self._clock.now(), what=what, on=release.path,
            facts={"version": release.version, "due": release.due}))
        self._releases = [*(r for r in self._releases if r.id != kept.id), kept]
        return kept

    async def _check(self, actor: Actor, asked: Publishing, text: bytes) -> None:
        edition = next((e for e in self._editions.get(asked.path, []) if e.version == asked.version), None)
        if edition is not None and edition.failed:
            raise Refused("cases",
                          phrase("{failed} of {cases} cases do not hold", failed=edition.failed, cases=edition.cases),
                          hint="mend the rule or the cases, and save it again")
        judged = {r.version for r in self._releases if r.path == asked.path and r.state is Released.DONE}
        if not asked.version or asked.version in judged:
            return  # the way back is never barred
        if await asyncio.to_thread(self._raises_nothing, asked.path, text):
            return
        wanted = await self.budget(actor, asked.path, text)
        if wanted is not None and asked.confirm != wanted:
            raise Refused("confirm", phrase("this needs the confirmation {wanted}", wanted=wanted),
                          hint="a dry run tells how many alerts an hour it brings; send the number as confirm",
                          facts={"confirm": wanted})

    def _raises_nothing(self, path: str, text: bytes) -> bool:
        """Do all rules that the file changes judge in the shadow, or not at all? Raises RuleError."""
        made = part(self._engine().ruleset, path, text.decode(errors="replace"), self._parse)
        changed = [rule for rule in made.ruleset.all() if rule.id in made.own]
        return bool(changed) and all(rule.status is not Status.ACTIVE for rule in changed)

    def _version(self, path: str) -> int:
        return judging(self._releases, path)

    def _waiting(self) -> list[RuleRelease]:
        return sorted((r for r in self._releases if r.state is Released.WAITING), key=lambda r: (r.due, r.id))

    async def _text(self, path: str, version: int) -> bytes:
        if version:
            text = await self._edits.text(path, version)
        else:
            text = (await asyncio.to_thread(self._folder)).get(path, b"" if path in self._editions else None)
        if text is None:
            where = f"no version {version}" if version else "nothing in the rules folder"
            raise NotFound(f"there is {where} of {path}", hint="GET /api/v1/rules lists all files")
        return text

    async def _figures_of(self, tenant: str) -> dict[str, RuleFigures]:
        now = self._clock.now()
        at, known = self._figures.get(tenant, (-_FRESH_MS, {}))
        if now - at >= _FRESH_MS:
            known = await self._edits.figures(tenant, now - FIGURES_MS)
            self._figures[tenant] = now, known
        return known

    def _latest(self, path: str) -> int:
        editions = self._editions.get(path)
        return editions[-1].version if editions else 0

    def _row(self, rule: AnyRule, figures: RuleFigures) -> RuleRow:
        return RuleRow(
            id=rule.id, title=rule.title, pack=rule.pack, path=rule.path,
            kind="correlation" if hasattr(rule, "correlation") else "rule", tier=rule.tier, severity=rule.severity,
            status=rule.status, category=list(rule.category), sub=rule.sub, clauses=list(rule.clauses),
            cases=len(getattr(rule, "cases", ())), version=self._version(rule.path), latest=self._latest(rule.path),
            figures=figures)

    def _file(self, path: str, engine: EngineSet, row: RuleRow | None) -> FileRow:
        editions = self._editions.get(path, [])
        last = editions[-1] if editions else None
        return FileRow(
            path=path, title=row.title if row else last.title if last else "",
            rules=[row.id] if row else list(last.rules) if last else [], version=self._version(path),
            latest=self._latest(path), loaded=path in engine.ruleset.sources, by=last.by if last else "",
            at=last.at if last else 0)
