"""The columns of a table as fields of an event: names, aliases, and what their cells mean."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any, Final

from monitor.adapters.sources.assembling import Item
from monitor.adapters.sources.cues import clock_ms
from monitor.domain.events import MOST_ATTRIBUTES, Attributes, Kind, Role, Stage

COLUMNS: Final[dict[str, str]] = {
    "id": "event_id msg_id message_id 消息id 编号",
    "kind": "type 类型",
    "text": "content message comment danmaku 内容 文本 弹幕 弹幕内容 评论 评论内容 话术 转写",
    "source": "来源",
    "room": "room_id 直播间 直播间id 房间号",
    "broadcast": "broadcast_id live_id session_id 场次 场次id",
    "stage": "环节",
    "at": "",
    "time": "timestamp datetime created_at sent_at send_time 时间 发送时间 评论时间",
    "offset_ms": "start_ms begin_ms",
    "offset": "offset_s start start_time begin 开始 开始时间 相对时间",
    "end_ms": "",
    "end": "end_time 结束 结束时间",
    "duration_ms": "",
    "duration": "duration_s 时长",
    "role": "speaker_role 角色",
    "speaker": "speaker_id user_id userid uid openid 发言人 用户id",
    "user": "username user_name nickname nick 昵称 用户昵称 用户名 用户",
    "confidence": "置信度",
    "final": "",
    "revision": "",
}
"""Column → its other names. A column that is the schema's own field comes as such; the others are ways to write one."""

PERSONAL: Final = frozenset({
    "user", "avatar", "phone", "mobile", "tel", "email", "ip", "ip_address", "address", "real_name", "wechat",
    "头像", "手机", "手机号", "电话", "邮箱", "地址", "姓名", "微信", "微信号",
})
"""Columns about a person that never become attributes."""

_FIELD_OF: Final = {alias: field for field, aliases in COLUMNS.items() for alias in (field, *aliases.split())}
_KINDS: Final = {
    **{kind.value: kind for kind in Kind}, "danmaku": Kind.COMMENT, "chat": Kind.COMMENT, "弹幕": Kind.COMMENT,
    "评论": Kind.COMMENT, "口播": Kind.TRANSCRIPT, "转写": Kind.TRANSCRIPT, "asr": Kind.TRANSCRIPT,
    "字幕": Kind.CAPTION, "商品": Kind.PRODUCT, "台本": Kind.SCRIPT, "话术": Kind.SCRIPT, "信号": Kind.SIGNAL,
}
_ROLES: Final = {
    **{role.value: role for role in Role}, "主播": Role.HOST, "助播": Role.ASSISTANT, "场控": Role.ASSISTANT,
    "官方": Role.OFFICIAL, "嘉宾": Role.GUEST, "观众": Role.VIEWER, "用户": Role.VIEWER,
}
_STAGES: Final = {stage.value: stage for stage in Stage}
_STAFF: Final = frozenset({"host", "assistant", "official", "guest"})
_BOOLEANS: Final = {
    "true": True, "1": True, "yes": True, "是": True, "false": False, "0": False, "no": False, "否": False,
}
_NUMBER: Final = re.compile(r"[-+]?\d{1,18}(?:\.\d{0,9})?")


class Unreadable(Exception):
    """A cell that means nothing. `args` are field, reason and hint."""


def field_of(name: str) -> str:
    """The field that a column's title stands for, or the title itself in the same spelling."""
    spelled = re.sub(r"[\s\-]+", "_", name.strip().strip("\ufeff").lower())
    return _FIELD_OF.get(spelled, spelled)


def is_known(field: str) -> bool:
    return field in COLUMNS


def item_of(row: dict[str, str], *, implied: Kind, utc_offset: int | None) -> Item:
    """The item of a row (field → cell that is not empty). Raises Unreadable.

    `implied` is the kind where no column says it; `utc_offset` (minutes) as in the options.
    """
    kind = _word(row, "kind", _KINDS) or implied
    role, speaker = _speaker(row, kind)
    at, offset = _when(row, utc_offset)
    return Item(
        kind=kind, text=row.get("text", ""), role=role, speaker=speaker, offset_ms=offset, at=at,
        duration_ms=_duration(row, offset), confidence=_number(row, "confidence"),
        final=_boolean(row), revision=_whole(row, "revision"), id=row.get("id", ""), source=row.get("source", ""),
        room=row.get("room", ""), broadcast=row.get("broadcast", ""),
        stage=_word(row, "stage", _STAGES) or Stage.LIVE,
        attributes=_attributes(row),
    )


def _attributes(row: dict[str, str]) -> Attributes:
    others = (name for name in row if name and name not in COLUMNS and name not in PERSONAL)
    return {name[:256]: row[name][:1000] for name in islice(others, MOST_ATTRIBUTES)}


def _word(row: dict[str, str], field: str, words: dict[str, Any]) -> Any:
    cell = row.get(field)
    if not cell:
        return None
    found = words.get(cell.strip().lower())
    if found is None:
        raise Unreadable(field, f"unknown {field} {cell[:40]!r}", "one of " + ", ".join(words))
    return found


def _speaker(row: dict[str, str], kind: Kind) -> tuple[Role | None, str | None]:
    """Role and id. A comment's `speaker` is never a role: viewers choose their names themselves."""
    role = _word(row, "role", _ROLES)
    known = row.get("speaker")
    if role is None and known in _STAFF and kind is not Kind.COMMENT:
        return _ROLES[known], row.get("user")
    speaker = known or row.get("user")
    if role is None and kind is Kind.COMMENT and speaker:
        role = Role.VIEWER
    return role, speaker


def _when(row: dict[str, str], utc_offset: int | None) -> tuple[int | None, int | None]:
    """(UTC ms, offset in ms), of which either may be None."""
    at, offset = None, _whole(row, "offset_ms")
    for field in ("at", "time", "offset"):
        cell = row.get(field)
        if not cell:
            continue
        if _NUMBER.fullmatch(cell):
            number = float(cell)
            if field == "at":
                at = int(number)
            elif field == "time" and number >= 10**9:
                at = int(number if number >= 10**11 else number * 1000)
            else:
                offset = round(number * 1000)
        elif (clock := clock_ms(cell)) is not None:
            offset = clock
        else:
            at = _instant(cell, field, utc_offset)
    return at, offset


def _instant(cell: str, field: str, utc_offset: int | None) -> int:
    hint = "send RFC 3339 with an offset (2026-11-23T20:00:00+08:00), UTC milliseconds, or h:mm:ss from the start"
    try:
        moment = datetime.fromisoformat(cell.strip().replace("/", "-"))
    except ValueError:
        raise Unreadable(field, f"{cell[:40]!r} is no time", hint) from None
    if moment.tzinfo is None:
        if utc_offset is None:
            raise Unreadable(field, "the time has no offset",
                             hint + "; or say which offset the file's times have (--utc-offset +08:00)")
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=utc_offset)))
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _duration(row: dict[str, str], offset: int | None) -> int | None:
    known = _whole(row, "duration_ms")
    if known is None and row.get("duration"):
        known = _seconds(row, "duration")
    if known is None and offset is not None:
        end = _whole(row, "end_ms")
        if end is None and row.get("end"):
            end = _seconds(row, "end")
        known = end - offset if end is not None and end >= offset else None
    return known


def _seconds(row: dict[str, str], field: str) -> int:
    cell = row[field]
    clock = clock_ms(cell)
    if clock is not None:
        return clock
    if not _NUMBER.fullmatch(cell):
        raise Unreadable(field, f"{cell[:40]!r} is no time", "send seconds, or h:mm:ss.mmm")
    return round(float(cell) * 1000)


def _number(row: dict[str, str], field: str) -> float | None:
    cell = row.get(field)
    if not cell:
        return None
    if not _NUMBER.fullmatch(cell):
        raise Unreadable(field, f"{cell[:40]!r} is no number", "send a number, or leave the cell empty")
    return float(cell)


def _whole(row: dict[str, str], field: str) -> int | None:
    number = _number(row, field)
    if number is None:
        return None
    if number != int(number):
        raise Unreadable(field, f"{row[field][:40]!r} is no whole number", "send whole milliseconds")
    return int(number)


def _boolean(row: dict[str, str]) -> bool:
    cell = row.get("final", "true").lower()
    if cell not in _BOOLEANS:
        raise Unreadable("final", f"{cell[:40]!r} is neither true nor false", "true or false")
    return _BOOLEANS[cell]
