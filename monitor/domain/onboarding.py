"""What is lacking when a broadcast begins, of its hosts' records and its products' certificates.

Facts, not words: each is a finding about the broadcast, whose rule stands here. Times in UTC ms.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from msgspec import Struct

from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import Severity
from monitor.domain.ids import digest
from monitor.domain.organisation import Host, Organisation, Paper, Product, Room, Slot
from monitor.domain.roomrecords import LEAD_MS


class Duty(Struct, frozen=True, kw_only=True):
    """A rule about a broadcast, by the named reason for which something is lacking.

    Its category is that of its clause: identity and qualification of hosts are identity_ai (LEC-28: checked before each
    broadcast), their age minors, certificates of goods counterfeit_quality."""

    why: str
    title: str
    category: str
    severity: Severity
    clause: str
    say: str
    version: str = "1"

    @property
    def rule(self) -> str:
        return f"onboarding.{self.why}"


DUTIES: Final[Mapping[str, Duty]] = {duty.why: duty for duty in (
    Duty(why="identity_unchecked", title="主播身份未核验", category="identity_ai", severity=Severity.HIGH,
         clause="LEC-28", say="先核验主播身份并登记，再开播"),
    Duty(why="age_unknown", title="主播年龄未核实", category="minors", severity=Severity.MEDIUM,
         clause="MPL-76", say="核实主播年龄并登记"),
    Duty(why="under_age", title="未成年人出镜直播", category="minors", severity=Severity.HIGH,
         clause="MPL-76", say="不满十六周岁的停播；满十六周岁的查监护人同意书"),
    Duty(why="lacks", title="主播缺少必备证件", category="identity_ai", severity=Severity.HIGH,
         clause="LEC-28", say="补齐证件并登记，或换有资质的主播"),
    Duty(why="expired", title="主播证件已过期", category="identity_ai", severity=Severity.HIGH,
         clause="LEC-28", say="换新证件并登记，或换有资质的主播"),
    Duty(why="certificate_expired", title="商品证书已过期", category="counterfeit_quality",
         severity=Severity.MEDIUM, clause="PQL-27", say="先下架该商品，证书换新后再上架"),
)}
"""By the named reason for which something is lacking."""


class Lack(Struct, frozen=True, kw_only=True):
    """`subject`: (broadcast, requirement), for the finding's id; `text`: who or what lacks it, for people."""

    duty: Duty
    subject: str
    text: str


def lacks(
    organisation: Organisation, broadcasts: Iterable[Broadcast], zone: tzinfo,
) -> Iterator[tuple[Broadcast, Lack]]:
    """What was lacking when each broadcast began, as far as records say who is on air with what: the host and products
    of the slot that it began in, else the room's hosts."""
    planned: dict[str, list[Slot]] = {}
    for _, slot in organisation.every(Slot):
        planned.setdefault(slot.room, []).append(slot)
    for broadcast in broadcasts:
        at = broadcast.started_at
        slots = [slot for slot in planned.get(broadcast.room, ()) if slot.starts - LEAD_MS <= at < slot.until]
        for found in (_of_hosts, _of_products):
            for lack in found(organisation, broadcast, slots, zone):
                yield broadcast, lack


def _of_hosts(
    organisation: Organisation, broadcast: Broadcast, slots: Sequence[Slot], zone: tzinfo) -> Iterator[Lack]:
    room = organisation.get(Room, broadcast.room)
    named = sorted({slot.host for slot in slots if slot.host})
    for name in named or (room.hosts if room is not None else ()):
        host = organisation.get(Host, name)
        for reason in host.lacking(broadcast.started_at) if host is not None else ():
            why, _, paper = reason.partition(":")
            yield _lack(broadcast, why, f"host/{name}/{reason}", _of_host(host, why, paper, zone))


def _of_products(
    organisation: Organisation, broadcast: Broadcast, slots: Sequence[Slot], zone: tzinfo) -> Iterator[Lack]:
    for sku in sorted({sku for slot in slots for sku in slot.products}):
        product = organisation.get(Product, sku)
        for name, paper in product.certificates.items() if product is not None else ():
            if paper.ends is not None and paper.ends <= broadcast.started_at:
                text = f"商品 {product.title}：{name} {_ended(paper, zone)}"
                yield _lack(broadcast, "certificate_expired", f"product/{sku}/{name}", text)


def _lack(broadcast: Broadcast, why: str, requirement: str, text: str) -> Lack:
    return Lack(duty=DUTIES[why], text=text, subject=digest("fact", broadcast.room, broadcast.id, requirement))


def _of_host(host: Host, why: str, paper: str, zone: tzinfo) -> str:
    said = {"identity_unchecked": "身份未核验", "age_unknown": "年龄未核实", "under_age": "未成年",
            "lacks": f"缺少 {paper}"}
    return f"主播 {host.name}：" + (said.get(why) or f"{paper} {_ended(host.papers[paper], zone)}")


def _ended(paper: Paper, zone: tzinfo) -> str:
    return f"已于 {datetime.fromtimestamp((paper.ends or 0) / 1000, zone).date()} 过期"
