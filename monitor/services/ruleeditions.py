"""What passes between the rules workbench, the store and the web. Times in UTC ms."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from monitor.domain.audit import Deed
from monitor.services.ruleparts import MOST_TEXT

Path = Annotated[str, Meta(min_length=1, max_length=200)]


class Edition(Struct, frozen=True, kw_only=True):
    """A version of a file, 1, 2, 3, …. `rules`: ids in it; `cases` ran when it was saved, `failed` of them did not
    hold."""

    path: str
    version: int
    by: str
    at: int
    note: str = ""
    rules: tuple[str, ...] = ()
    title: str = ""
    cases: int = 0
    failed: int = 0


class Released(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class RuleRelease(Struct, frozen=True, kw_only=True):
    """Version `version` of a file (0: as the folder has it) is to judge from `due` on; `done_at`: since when it did.
    `fault`: why it was refused."""

    id: int = 0
    path: str
    version: int
    by: str
    at: int
    due: int
    state: Released = Released.WAITING
    done_at: int = 0
    fault: str = ""


class RuleFigures(Struct, frozen=True, kw_only=True):
    """Of the last 30 days: findings, alerts, alerts that were decided, and those that were violations; `shadow`: what a
    rule found while it was in the shadow, any version of it."""

    hits: int = 0
    alerts: int = 0
    decided: int = 0
    violations: int = 0
    shadow: int = 0


class RuleEdits(Protocol):
    """What is kept of edited rule files. Raises StorageError."""

    async def editions(self) -> list[Edition]:
        """By path and version."""
        ...

    async def releases(self) -> list[RuleRelease]:
        """Oldest first."""
        ...

    async def text(self, path: str, version: int) -> bytes | None: ...

    async def add(self, edition: Edition, text: bytes, deed: Deed) -> None:
        """Raises Conflict where its version is not the next one. What returns is on disk."""
        ...

    async def keep(self, release: RuleRelease, deed: Deed) -> RuleRelease:
        """A new one where its id is 0, which it then has; else what became of one that waits. Raises Conflict where it
        waits no more. What returns is on disk."""
        ...

    async def figures(self, tenant: str, since: int) -> dict[str, RuleFigures]:
        """By rule, of alerts that began at or after `since` (UTC ms)."""
        ...


def judging(releases: Iterable[RuleRelease], path: str) -> int:
    """The version of a file that judges, 0: as the folder has it."""
    done = [r for r in releases if r.path == path and r.state is Released.DONE]
    return max(done, key=lambda r: (r.done_at, r.id)).version if done else 0


async def published(edits: RuleEdits, releases: Sequence[RuleRelease]) -> dict[str, bytes]:
    """What lies over the files of the rules folder, by path."""
    laid = {path: await edits.text(path, version) for path in {r.path for r in releases}
            if (version := judging(releases, path))}
    return {path: text for path, text in laid.items() if text is not None}


class RuleRow(Struct, frozen=True, kw_only=True):
    """A rule that is loaded. `kind`: rule or correlation; `version`: of its file, 0 as the folder has it; `latest`: the
    newest one that was saved."""

    id: str
    title: str
    pack: str
    path: str
    kind: str
    tier: str
    severity: str
    status: str
    category: list[str]
    sub: str
    clauses: list[str]
    cases: int
    version: int
    latest: int
    figures: RuleFigures


class FileRow(Struct, frozen=True, kw_only=True):
    """A file of the rules. `loaded`: it is part of what judges; else it was saved and not published."""

    path: str
    title: str
    rules: list[str]
    version: int
    latest: int
    loaded: bool
    by: str = ""
    at: int = 0


class RuleList(Struct, frozen=True, kw_only=True):
    """`engine_set`: what judges now; `waiting`: what is to be published later."""

    engine_set: str
    rules: list[RuleRow]
    files: list[FileRow]
    waiting: list[RuleRelease]


class FileView(Struct, frozen=True, kw_only=True):
    """`text`: of `shown`, the version that was asked for, else the newest. `version`: the one that judges."""

    path: str
    text: str
    shown: int
    version: int
    latest: int
    loaded: bool
    editions: list[Edition]
    releases: list[RuleRelease]


class Saving(Struct, frozen=True, kw_only=True):
    """`base`: the newest version that whoever saves has seen, 0 for none."""

    path: Path
    text: Annotated[str, Meta(max_length=MOST_TEXT)]
    base: Annotated[int, Meta(ge=0, le=9_999_999)]
    note: Annotated[str, Meta(max_length=2_000)] = ""


class Publishing(Struct, frozen=True, kw_only=True):
    """`at`: when (UTC ms), now without it. `confirm`: the number that a refusal asked for."""

    path: Path
    version: Annotated[int, Meta(ge=0, le=9_999_999)]
    at: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    confirm: Annotated[int, Meta(ge=0, le=2**53)] | None = None
