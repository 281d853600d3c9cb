"""What a dry run was asked for, how it goes and what came of it."""

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from monitor.domain.findings import Severity, Span
from monitor.services.ruletrying import RuleDraft


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Somebody stopped it."""
    INTERRUPTED = "interrupted"
    """The service ended meanwhile."""


class DrySample(Struct, frozen=True, kw_only=True):
    """A finding that only one side has."""

    rule: str
    title: str
    severity: Severity
    room: str
    at: int
    text: str
    spans: list[Span]


class PostLoad(Struct, frozen=True, kw_only=True):
    """Alerts an hour that a post would have of these rules; `budget`: what its people can take, None: nobody said."""

    post: str
    title: str
    now: float
    new: float
    budget: int | None


class DryOutcome(Struct, frozen=True, kw_only=True):
    """`events`, `room_hours`: what was looked at; `cut`: slices of ten minutes of which only the newest events were.
    Alerts of the rules that the file changes: `now` by the rules in force, `new` by the text. Findings that only one of
    the two has: `came` and `went` in all, samples in `coming` and `going`. `over`: the number to confirm, where a post
    would have more than its budget."""

    events: int
    room_hours: float
    cut: int
    now: int
    new: int
    came: int
    went: int
    coming: list[DrySample]
    going: list[DrySample]
    posts: list[PostLoad]
    over: int | None = None


class DryRun(Struct, frozen=True, kw_only=True):
    """`digest`: of the text; `done`: the share that is done, 0 to 1. Times in UTC ms."""

    path: str
    digest: str
    hours: int
    by: str
    asked_at: int
    state: RunState = RunState.RUNNING
    done: float = 0
    fault: str = ""
    outcome: DryOutcome | None = None


class RunThis(RuleDraft, frozen=True, kw_only=True):
    hours: int = 2


class KeptRun(Struct, frozen=True):
    """`alive_at`: when the process that runs it last told of it (UTC ms); None once it has ended."""

    run: DryRun
    alive_at: int | None


class KeptRuns(Protocol):
    """The latest dry run of each file. Raises StorageError."""

    async def run(self, tenant: str, path: str) -> KeptRun | None: ...

    async def begin(self, tenant: str, run: DryRun, *, since: int, most: int) -> None:
        """In place of the one before. What was asked for before `since` (UTC ms) is let go, and of the rest all but the
        `most` latest."""
        ...

    async def change(self, tenant: str, run: DryRun, *, alive_at: int | None) -> bool:
        """How it stands now, None where it has ended; False, and nothing changes, where it had ended before or another
        one has taken its place."""
        ...

    async def abandon(self) -> None:
        """Nobody runs any."""
        ...
