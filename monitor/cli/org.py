"""redpost org export · import · check · show"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.desks import Change, Desk, Kept, Key, Where, at_desk

if TYPE_CHECKING:
    from monitor.domain.organisation import Organisation
    from monitor.domain.record import Record

Sources = Annotated[list[Path], Parameter(name="FILE", help="Records as YAML, by kind and id.")]
DryRun = Annotated[bool, Parameter(help="Show what would change, and change nothing.")]


def export(
    *,
    kind: Annotated[list[str], Parameter(help="Only these kinds.", consume_multiple=True)] = [],  # noqa: B006
    shipped: Annotated[bool, Parameter(help="Also what is shipped and unchanged.")] = False,
    where: Where = Where(),  # noqa: B008
) -> int:
    """Write a tenant's records as YAML: units, rooms, hosts, products, the plan, posts, shifts, routes and the rest.

    `redpost org import` takes them back.

    ```
    redpost org export > organisation.yml
    redpost org export --kind room host --url http://127.0.0.1:8321 --token-file my.token
    ```
    """
    from monitor.adapters.recordfiles import write
    from monitor.domain.errors import InputError
    from monitor.domain.kinds import KINDS

    if strangers := sorted(set(kind) - set(KINDS)):
        raise InputError(f"there is no kind {strangers[0][:40]!r}", hint="one of " + ", ".join(KINDS))
    known = at_desk(where, lambda desk: desk.everything())
    print(write((of, name, kept.record) for (of, name), kept in known.items()
                if (kept.version or shipped) and (not kind or of in kind)), end="")
    return 0


def import_(files: Sources, /, *, dry_run: DryRun = False, where: Where = Where()) -> int:  # noqa: B008
    """Take records from YAML: those that differ are made or replaced, all together; nothing is taken away.

    All faults are told at once, each with its line, and nothing changes then.

    ```
    redpost org import organisation.yml --dry-run
    redpost org import organisation.yml
    ```

    Exit codes: 0 done, or nothing to do, 2 the files have faults, or somebody else was changing the same.
    """
    said = _Said(files)

    async def work(desk: Desk) -> int:
        known = await desk.everything()
        said.check(known)
        changes = list(differing(said.records, known))
        if changes and not dry_run:
            await desk.edit(changes)
        tell_changes(changes, known, len(said.records), dry_run=dry_run)
        return 0

    return at_desk(where, work)


def check(files: Sources, /) -> int:
    """Check files of records by themselves, together with what is shipped, and tell all faults at once.

    Where they name records that the tenant has, such as a roster its posts, `redpost org import --dry-run` checks them.

    ```
    redpost org check organisation.yml
    ```

    Exit codes: 0 they are sound, 2 they have faults.
    """
    from monitor.adapters.bundled import bundled
    from monitor.adapters.recordfiles import read_folder

    said = _Said(files)
    said.check({key: Kept(0, record) for key, record in read_folder(bundled("config") / "post").items()})
    print(f"{len(said.records):,} records, sound")
    return 0


def show(*, where: Where = Where()) -> int:  # noqa: B008
    """Show a tenant's units as a tree, with their posts and rooms, and who is on duty now.

    ```
    redpost org show
    ```
    """
    from rich.tree import Tree

    from monitor.adapters.clock import SystemClock
    from monitor.cli.terminal import out, safe
    from monitor.domain.organisation import Organisation, Unit

    known = at_desk(where, lambda desk: desk.everything())
    organisation = Organisation({key: kept.record for key, kept in known.items()})
    now = SystemClock().now()

    def grow(branch: Tree, unit: str) -> None:
        for line in _at(organisation, unit, now):
            branch.add(safe(line))
        for name, below in organisation.every(Unit):
            if below.above == unit:
                grow(branch.add(safe(f"{below.title} ({name})")), name)

    tree = Tree("the tenant" if where.url else safe(where.tenant))
    grow(tree, "")
    out().print(tree)
    return 0


def _at(organisation: "Organisation", unit: str, now: int) -> Iterator[str]:
    """Posts and rooms that hang on the unit itself."""
    from monitor.cli.terminal import counted
    from monitor.domain.organisation import Post, Room

    for name, post in organisation.every(Post):
        if post.unit == unit:
            people = ", ".join(organisation.on_duty(name, now)) or "nobody on duty"
            yield f"post {post.title} ({name}): {people}"
    rooms = [room.title or name for name, room in organisation.every(Room) if room.unit == unit]
    if rooms:
        more = f" and {len(rooms) - 5:,} more" if len(rooms) > 5 else ""
        yield f"{counted(len(rooms), 'room')}: {', '.join(rooms[:5])}{more}"


def differing(wanted: "Mapping[Key, Record]", known: Mapping[Key, Kept]) -> Iterator[Change]:
    """What an import changes, in an order in which each can be made."""
    for (kind, name), record in wanted.items():
        kept = known.get((kind, name))
        if kept is None or kept.record != record:
            yield Change(kind, name, record, kept.version if kept is not None else 0)


def tell_changes(changes: Sequence[Change], known: Mapping[Key, Kept], total: int, *, dry_run: bool) -> None:
    """A line for each, then the sum."""
    from monitor.cli.terminal import safe

    for change in changes:
        print(safe(f"{'~' if (change.kind, change.id) in known else '+'} {change.kind} {change.id}"))
    would = "would be changed" if dry_run else "changed"
    print(f"{len(changes):,} of {total:,} records {would}")


class _Said:
    """What all files say together: records in an order in which each can be made, where each stands, and the faults."""

    def __init__(self, files: Iterable[Path]) -> None:
        from monitor.adapters.recordfiles import parse
        from monitor.domain.kinds import KINDS

        found: dict[Key, Record] = {}
        self._places: dict[Key, str] = {}
        self._unread: set[Key] = set()
        self._faults: list[str] = []
        for path in files:
            parsed = parse(_text(path), str(path))
            self._faults += parsed.faults
            self._unread |= parsed.unread
            for key, record in parsed.records.items():
                place = f"{path}:{parsed.lines[key]}"
                if key in found:
                    self._faults.append(f"{place}: {key[0]} {key[1]} stands twice, first in {self._places[key]}")
                found[key], self._places[key] = record, self._places.get(key, place)
        order = list(KINDS)
        self.records = dict(sorted(found.items(), key=lambda each: (order.index(each[0][0]), each[0][1])))

    def check(self, known: Mapping[Key, Kept]) -> None:
        """Raises InputError with all faults of the files, and of the organisation as they would leave it."""
        from monitor.domain.errors import InputError
        from monitor.domain.organisation import Organisation
        from monitor.domain.soundness import faults

        before = Organisation({key: kept.record for key, kept in known.items()})
        after = before.with_((kind, name, record) for (kind, name), record in self.records.items())
        old = set(faults(before))
        places = {f"{kind} {name}": place for (kind, name), place in self._places.items()}
        there = [f"there is no {kind} {name!r}" for kind, name in self._unread]  # it is, with a fault of its own
        wrong = self._faults + [
            f"{places.get(fault.split(': ', 1)[0], 'the organisation')}: {fault}"
            for fault in faults(after) if fault not in old and not any(words in fault for words in there)]
        if wrong:
            raise InputError("\n".join(wrong), hint="nothing was changed; docs/post.md has every key")


def _text(path: Path) -> str:
    from monitor.domain.errors import InputError

    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason} at byte {error.start})",
                         hint="save it as UTF-8") from error
