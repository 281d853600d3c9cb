"""Messages to people who are not looking: what they say, when they are tried again, and what goes as one."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alerts import Alert
from monitor.domain.events import HOST_SIDE
from monitor.domain.ids import digest

MOST_ITEMS: Final = 20
PAUSES_S: Final = (10, 30, 120, 600, 1_800, 3_600, 10_800)
"""Between one try and the next; after the last one a message is dead."""
LONGEST_QUOTE: Final = 120


class What(StrEnum):
    REDLINE_UNCLAIMED = "redline_unclaimed"
    ESCALATION = "escalation"
    ROOM_SILENT = "room_silent"
    ROOM_ON_AIR = "room_on_air"
    CUE = "cue"
    TEST = "test"


class State(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Item(Struct, frozen=True, kw_only=True):
    """One thing that a message tells. `text`: masked, the host side's words or the cue's; viewers' are never told.
    `at`: UTC ms."""

    what: What
    at: int
    alert: str = ""
    title: str = ""
    severity: str = ""
    post: str = ""
    text: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """To one channel, about one room. `due`: when it is tried, UTC ms; `more`: items that it has no place for."""

    id: str
    tenant: str
    channel: str
    room: str
    at: int
    due: int
    items: tuple[Item, ...]
    more: int = 0

    def joined(self, other: "Message") -> "Message":
        """With what another one about the same room tells."""
        items = (*self.items, *other.items)
        return replace(self, items=items[:MOST_ITEMS], more=self.more + other.more + max(len(items) - MOST_ITEMS, 0))


def next_try(tries: int, now: int) -> int | None:
    """When a message is tried again that failed `tries` times, the last time now (UTC ms); None: never."""
    return now + PAUSES_S[tries - 1] * 1_000 if tries <= len(PAUSES_S) else None


def told_of(alert: Alert, what: What, now: int, *, post: str, text: str = "") -> Item:
    """Of an alert; `text` instead of the words that were said."""
    said = alert.text if alert.lane == HOST_SIDE else ""
    words = text or (said[:LONGEST_QUOTE] + ("…" if len(said) > LONGEST_QUOTE else ""))
    return Item(what=what, at=now, alert=alert.id, title=alert.title, severity=alert.severity, post=post, text=words)


def addressed(
    tenant: str, room: str, item: Item, channels: Sequence[str], *, now: int, wait_s: int = 0
) -> tuple[Message, ...]:
    """One to each channel; `wait_s`: how long it may wait for more about its room."""
    return tuple(
        Message(id="m" + digest("message", tenant, channel, room, item.what, item.alert, item.at), tenant=tenant,
                channel=channel, room=room, at=now, due=now + wait_s * 1_000, items=(item,))
        for channel in dict.fromkeys(channels))


_TITLES: Final = {What.REDLINE_UNCLAIMED: "红线预警超时未认领", What.ESCALATION: "预警已升级",
                  What.ROOM_SILENT: "直播间到点未开播", What.ROOM_ON_AIR: "未开播的直播间已开播", What.CUE: "场控提示",
                  What.TEST: "测试消息"}
_SEVERITY: Final = {"critical": "紧急", "high": "高", "medium": "中", "low": "低", "info": "提示"}


def title_of(message: Message) -> str:
    """One line, in Chinese; the gravest kind names it."""
    kinds = [kind for kind in What if any(item.what is kind for item in message.items)]
    many = len(message.items) + message.more
    room = f" · 直播间 {message.room}" if message.room else ""
    return f"{_TITLES[kinds[0]]}{room}" + (f"（共 {many} 条）" if many > 1 else "")


def text_of(message: Message, zone: tzinfo) -> str:
    """A line or two for each item, in Chinese; `zone`: of the times."""
    lines = [line for item in message.items for line in _lines(item, zone)]
    if message.more:
        lines.append(f"另有 {message.more} 条，请到监察岗查看")
    return "\n".join(lines)


def _lines(item: Item, zone: tzinfo) -> Iterator[str]:
    at = datetime.fromtimestamp(item.at / 1_000, UTC).astimezone(zone)
    if item.what is What.TEST:
        yield f"{at:%H:%M:%S} 这是一条测试消息，收到即表示通道可用。"
        return
    facts = [_TITLES[item.what], item.title,
             f"严重度 {_SEVERITY.get(item.severity, item.severity)}" if item.severity else "",
             f"监察岗 {item.post}" if item.post else ""]
    yield f"{at:%H:%M:%S} " + " · ".join(fact for fact in facts if fact)
    if item.text:
        yield f"　「{item.text}」"
