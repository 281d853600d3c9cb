"""redpost plan import · show · tonight · duty"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from monitor.cli.desks import Desk, Where, at_desk
from monitor.cli.options import LOCAL, Config, TokenFile, Url
from monitor.cli.org import DryRun, differing, tell_changes

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Zone = Annotated[str, Parameter(help="Time zone of times without an offset. Default: the setting tenant.zone.")]


def import_(
    file: Annotated[Path, Parameter(name="FILE", help="CSV or TSV with a line of headings: starts, room, and if "
                                                      "known ends, host, products, note; or 开播时间, 直播间, "
                                                      "结束时间, 主播, 商品, 备注.")],
    /,
    *,
    day: Annotated[str, Parameter(help="The day of times without one, such as 2026-11-27.")] = "",
    zone: Zone = "",
    dry_run: DryRun = False,
    where: Where = Where(),  # noqa: B008
) -> int:
    """Take the evening's plan from a table. The same line taken again changes nothing.

    Rooms, hosts and products are named by id, or by a title that only one has. All faults are told at once, each with
    its line, and nothing changes then.

    ```
    redpost plan import tonight.csv --day 2026-11-27 --dry-run
    ```

    Exit codes: 0 done, or nothing to do, 2 the table has faults.
    """
    from datetime import date

    from monitor.adapters.planfiles import decoded, read_plan
    from monitor.domain.errors import InputError
    from monitor.domain.organisation import Organisation

    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise InputError(f"--day: {day[:40]!r} is no day", hint="write it as 2026-11-27") from None
    text, of = decoded(file.read_bytes()), _zone(zone, where)

    async def work(desk: Desk) -> int:
        known = await desk.everything()
        organisation = Organisation({key: kept.record for key, kept in known.items()})
        slots = read_plan(text, str(file), organisation, zone=of, day=on)
        changes = list(differing({("slot", name): slot for name, slot in slots.items()}, known))
        if changes and not dry_run:
            await desk.edit(changes)
        tell_changes(changes, known, len(slots), dry_run=dry_run)
        return 0

    return at_desk(where, work)


def show(
    *,
    hours: Annotated[int, Parameter(show_default=True, help="How far ahead.")] = 24,
    zone: Zone = "",
    where: Where = Where(),  # noqa: B008
) -> int:
    """Show what runs by the plan now and what is to come.

    Who of it is on air, silent or unplanned is told by `redpost plan tonight`.

    ```
    redpost plan show --hours 6
    ```
    """
    from monitor.adapters.clock import SystemClock
    from monitor.cli.lists import print_list
    from monitor.domain.organisation import Host, Organisation, Room, Slot

    known = at_desk(where, lambda desk: desk.everything())
    organisation = Organisation({key: kept.record for key, kept in known.items()})
    now, of = SystemClock().now(), _zone(zone, where)
    slots = sorted((slot.starts, name, slot) for name, slot in organisation.every(Slot)
                   if slot.starts <= now + hours * 3_600_000 and now < slot.until)
    rows = []
    for _, _, slot in slots:
        room, host = organisation.get(Room, slot.room), organisation.get(Host, slot.host)
        rows.append((_moment(slot.starts, of), _moment(slot.ends, of), room.title if room and room.title else slot.room,
                     host.name if host else slot.host, str(len(slot.products) or ""), slot.note))
    print_list(("starts", "ends", "room", "host", "products", "note"), rows, nothing="nothing is planned")
    return 0


def tonight(
    *,
    state: Annotated[Literal["to_come", "due", "silent", "on_air", "ended", "unplanned"] | None, Parameter(
        help="Only lines that stand so.")] = None,
    hours: Annotated[int, Parameter(show_default=True, help="How far ahead.")] = 12,
    zone: Zone = "",
    config: Config = None,
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """Hold the plan against what is on air: what is `silent` should be and is not. Exit code 1 where something is.

    ```
    redpost plan tonight
    redpost plan tonight --state silent
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.evening import PlanPage

    of = _zone(zone, Where(config=config))
    page = call(url, token_file, "GET", "plan", PlanPage, params={"state": state, "hours": hours, "limit": 1_000})
    rows = [(line.state, _moment(line.starts, of), _moment(line.ends, of), line.room, line.title, line.host, line.note)
            for line in page.lines]
    print_list(("state", "starts", "ends", "room", "title", "host", "note"), rows, whole=("state", "room"),
               nothing="nothing is planned, and nothing is on air" if state is None else f"nothing is {state}")
    if standing := [f"{many:,} {name}" for name, many in page.counts.items() if many]:
        print(", ".join(standing))
    return 1 if page.counts.get("silent") else 0


def duty(*, zone: Zone = "", config: Config = None, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Show who is on which post, until when, who comes next, and what the shift before left to them.

    ```
    redpost plan duty
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.evening import DutyAnswer

    of = _zone(zone, Where(config=config))
    found = call(url, token_file, "GET", "duty", DutyAnswer)
    rows = [(each.post, each.title, ", ".join(each.people) or "nobody", _moment(each.until, of),
             f"{', '.join(each.next_people)} {_moment(each.next_starts, of)}".strip(),
             each.handover.note if each.handover else "") for each in found.posts]
    print_list(("post", "title", "people", "until", "next", "handed over"), rows, whole=("post",),
               nothing="there is no post that you see")
    return 0


def _moment(at: int | None, zone: "ZoneInfo") -> str:
    from datetime import datetime

    return "" if at is None else datetime.fromtimestamp(at / 1000, zone).strftime("%m-%d %H:%M")


def _zone(name: str, where: Where) -> "ZoneInfo":
    from zoneinfo import ZoneInfo

    from monitor.domain.errors import InputError
    from monitor.settings import load

    if not name:
        return ZoneInfo(load(config=where.config).settings.tenant.zone)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(f"there is no time zone {name[:40]!r}", hint="such as Asia/Shanghai") from None
