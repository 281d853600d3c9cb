"""Two ready-made ledgers, with the columns that inspectors ask for: corrections of hosts, handling of comments.

A column without a source stays in its ledger, empty: whoever keeps it elsewhere fills it in. docs/post.md lists those.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

from msgspec import Struct

from monitor.domain.addresses import filled
from monitor.domain.alerts import Alert
from monitor.domain.cues import Corrected
from monitor.domain.events import HOST_SIDE, VIEWERS, Kind, Role
from monitor.domain.findings import Finding
from monitor.domain.moves import Outcome, Reason, Remedy
from monitor.domain.organisation import Host, Organisation, Paper, Product, Room, Slot, Unit
from monitor.domain.review import Review, Ruling
from monitor.domain.titles import (
    CATEGORIES,
    EVASIONS,
    KINDS,
    OPINIONS,
    OUTCOMES,
    REMEDIES,
    ROLES,
    SEVERITIES,
    STAGES,
    STATES,
    TIERS,
)

Cell = str | int | float | None


class Ledger(StrEnum):
    CORRECTIONS = "corrections"
    COMMENTS = "comments"


class Entry(Struct, frozen=True, kw_only=True):
    """An alert with what was done about it. `finding`: the one that opened it, None where it was taken away; `unclear`:
    decisions before the last one; `corrected`: what the host was heard to say; `kind`, `role`: of the event."""

    alert: Alert
    review: Review
    finding: Finding | None = None
    unclear: tuple[Ruling, ...] = ()
    corrected: Corrected | None = None
    kind: str = ""
    role: str = ""


class Around(Struct, frozen=True, kw_only=True):
    """What the records say of the room at the time of the alert."""

    room: Room
    unit: str
    hosts: tuple[Host, ...]
    products: tuple[tuple[str, Product], ...]
    reason: str
    zone: tzinfo


def belongs(ledger: Ledger, alert: Alert) -> bool:
    """Corrections: what hosts said and was found to be a violation. Comments: what viewers wrote and was decided."""
    if ledger is Ledger.CORRECTIONS:
        return alert.lane == HOST_SIDE and alert.outcome == Outcome.VIOLATION
    return alert.lane == VIEWERS and alert.outcome != ""


def around(organisation: Organisation, entry: Entry, zone: tzinfo) -> Around:
    """By the evening's plan, else by the room. Times of the plan are those of the records as they stand."""
    alert, ruling = entry.alert, entry.review.ruling
    room = organisation.get(Room, alert.room) or Room()
    unit = organisation.get(Unit, alert.unit)
    slot = _slot(organisation, alert)
    hosts = (slot.host,) if slot is not None and slot.host else room.hosts
    reason = organisation.get(Reason, ruling.reason) if ruling else None
    return Around(
        room=room, unit=unit.title if unit is not None else alert.unit,
        hosts=tuple(found for name in hosts if (found := organisation.get(Host, name)) is not None),
        products=tuple((name, found) for name in (slot.products if slot is not None else ())
                       if (found := organisation.get(Product, name)) is not None),
        reason=reason.title if reason is not None else ruling.reason if ruling else "", zone=zone)


def _slot(organisation: Organisation, alert: Alert) -> Slot | None:
    """The latest line of the plan that had begun."""
    begun = [slot for _, slot in organisation.every(Slot)
             if slot.room == alert.room and slot.starts <= alert.at < slot.until]
    return max(begun, key=lambda slot: slot.starts, default=None)


def row(ledger: Ledger, entry: Entry, about: Around) -> list[Cell]:
    """Cells as HEADERS names them."""
    cells = {**_where(entry, about), **_what(entry), **_ruled(entry, about), **_done(entry, about)}
    if ledger is Ledger.CORRECTIONS:
        cells.update({**_who(about), **_corrected(entry, about)})
    return [cells.get(header, "") for header in HEADERS[ledger]]


LATEST: Final = 253_402_214_399_999
"""The last time that has a year of four digits in every zone (UTC ms)."""


def moment(at: int | None, zone: tzinfo) -> str:
    """A time (UTC ms) as people of the zone read it, to the millisecond, with the offset; "" for none.
    What lies later is shown as the latest."""
    return "" if at is None else datetime.fromtimestamp(min(at, LATEST) / 1000, zone).isoformat(" ", "milliseconds")


def _joined(parts: Iterable[str]) -> str:
    return "；".join(part for part in parts if part)


def _papers(papers: Mapping[str, Paper], zone: tzinfo) -> str:
    return _joined(f"{name} {paper.number}".strip() + (f"（至 {moment(paper.ends, zone)[:10]}）" if paper.ends else "")
                   for name, paper in papers.items())


def _where(entry: Entry, about: Around) -> dict[str, Cell]:
    alert, room = entry.alert, about.room
    return {
        "预警编号": alert.id, "发生时间": moment(alert.at, about.zone), "结束时间": moment(alert.last_at, about.zone),
        "场次": alert.broadcast, "环节": STAGES[entry.finding.stage] if entry.finding is not None else "",
        "平台": room.platform, "直播间": alert.room, "直播间名称": room.title, "直播间账号": room.account,
        "组织单元": about.unit, "运营者主体": room.operator, "统一社会信用代码": room.credit_code,
    }


def _who(about: Around) -> dict[str, Cell]:
    hosts, products = about.hosts, about.products
    proofs = dict(about.room.claim_proofs)
    for _, product in products:
        proofs.update(product.claims)
    adult = {None: "未核验", True: "是", False: "否"}
    return {
        "实际销售者": _joined(product.seller for _, product in products),
        "主播": _joined(host.name for host in hosts),
        "主播资质证号与有效期": _joined(_papers(host.papers, about.zone) for host in hosts),
        "主播是否成年": _joined(adult[host.of_age] for host in hosts),
        "是否数字人": _joined("是" if host.digital else "否" for host in hosts),
        "商品SKU": _joined(name for name, _ in products),
        "商品名称": _joined(product.title for _, product in products),
        "商品链接": _joined(product.link for _, product in products),
        "商品类目": _joined(product.category for _, product in products),
        "许可与广审文号": _joined(_papers(product.certificates, about.zone) for _, product in products),
        "证明材料编号": _joined(f"{claim}：{proof}" for claim, proof in proofs.items()),
    }


def _what(entry: Entry) -> dict[str, Cell]:
    alert, finding = entry.alert, entry.finding
    return {
        "内容类型": KINDS[Kind(entry.kind)] if entry.kind else "",
        "发言人角色": ROLES[Role(entry.role)] if entry.role else "",
        "原文": alert.text, "命中": "、".join(span.text for span in alert.spans), "规避写法": _evasive(alert),
        "规则": alert.title, "规则编号": alert.rule, "规则版本": alert.rule_version,
        "规则包版本": finding.engine_set if finding is not None else "",
        "模型分值": _joined(f"{CATEGORIES.get(name, name)} {score:.2f}"
                        for name, score in (finding.scores if finding is not None else {}).items()),
        "模型意见": OPINIONS[finding.opinion] if finding is not None else "",
        "类别": _categories(alert.category), "层级": TIERS[alert.tier], "严重度": SEVERITIES[alert.severity],
        "规则条款": "、".join(alert.clauses), "待核条款": "、".join(alert.unverified), "同类次数": alert.recurrence,
        "涉及个人信息": "是" if "personal_info" in alert.category else "否", "状态": STATES[alert.state],
    }


def _categories(names: Iterable[str]) -> str:
    return "、".join(CATEGORIES.get(name, name) for name in names)


def _evasive(alert: Alert) -> str:
    if alert.evasive is None:
        return ""
    written = "、".join(f"{span.text}→{span.term}" for span in alert.spans if span.term)
    return EVASIONS[alert.evasive] + (f"：{written}" if written else "")


def _ruled(entry: Entry, about: Around) -> dict[str, Cell]:
    ruling = entry.review.ruling
    before: dict[str, Cell] = {"先前存疑人": _joined(one.by for one in entry.unclear),
                               "分歧说明": _joined(one.note or one.reason for one in entry.unclear)}
    if ruling is None:
        return before
    return {
        **before, "结论": OUTCOMES[ruling.outcome], "理由": about.reason, "认定类别": _categories(ruling.categories),
        "依据条款": ruling.clause, "豁免证明": ruling.proof, "研判说明": ruling.note, "研判人": ruling.by,
        "研判时间": moment(ruling.at, about.zone),
        "响应用时（秒）": max(0, ruling.at - entry.alert.accepted_at) / 1000,
    }


def _done(entry: Entry, about: Around) -> dict[str, Cell]:
    done = entry.review.rectified
    return {
        "处置动作": _joined(REMEDIES[one.remedy] for one in done), "处置人": _joined(one.by for one in done),
        "处置时间": _joined(moment(one.at, about.zone) for one in done), "处置说明": _joined(one.note for one in done),
    }


def _corrected(entry: Entry, about: Around) -> dict[str, Cell]:
    heard = entry.corrected
    aired = [one.at for one in entry.review.rectified if one.remedy is Remedy.CORRECTED_ON_AIR]
    at = heard.at if heard is not None else aired[0] if aired else None
    return {"建议纠正话术": entry.alert.advice.say, "纠正话术原文": heard.quote if heard is not None else "",
            "纠正播出时间": moment(at, about.zone), "纠正用时（秒）": heard.after_s if heard is not None else None,
            "音视频": filled(about.room.media, room=entry.alert.room, broadcast=entry.alert.broadcast,
                         offset_ms=entry.alert.offset_ms)}


_WHERE: Final = ("预警编号", "发生时间", "结束时间", "场次", "环节", "平台", "直播间", "直播间名称", "直播间账号",
                 "组织单元", "运营者主体", "统一社会信用代码")
_WHO: Final = ("实际销售者", "主播", "主播资质证号与有效期", "主播是否成年", "是否数字人", "商品SKU", "商品名称",
               "商品链接", "商品类目", "许可与广审文号", "证明材料编号")
_WHAT: Final = ("内容类型", "发言人角色", "原文", "命中", "规避写法", "规则", "规则编号", "规则版本", "规则包版本",
                "模型分值", "模型意见", "类别", "层级", "严重度", "规则条款", "待核条款", "同类次数", "涉及个人信息")
_RULED: Final = ("状态", "结论", "理由", "认定类别", "依据条款", "豁免证明", "研判说明", "研判人", "研判时间",
                 "先前存疑人", "分歧说明", "处置动作", "处置人", "处置时间", "处置说明")
EMPTY: Final = ("音视频哈希", "识别置信度", "申诉与结果")
"""Columns that the service has nothing for."""
HEADERS: Final[Mapping[Ledger, tuple[str, ...]]] = {
    Ledger.CORRECTIONS: (*_WHERE, *_WHO, *_WHAT, *_RULED, "建议纠正话术", "纠正话术原文",
                         "纠正播出时间", "纠正用时（秒）", "音视频", *EMPTY),
    Ledger.COMMENTS: (*_WHERE, *_WHAT, *_RULED, "响应用时（秒）", "申诉与结果"),
}
