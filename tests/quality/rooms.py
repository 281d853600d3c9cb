"""Rooms that talk as densely as real ones, made of lawful lines: the demo's and the ordinary ones.

The host side says the lines of its trade topic by topic, at the pace of speech; viewers write in between. A trade with
few lines borrows from the others. Signals come as platforms send them, and what is due after them, or in this trade, is
said, except in rooms that keep silent.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import cycle, groupby
from random import Random
from typing import Final, NamedTuple

from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.rules import RoomContext
from tests.quality import demo
from tests.quality.sets import Line

BEGIN: Final = 1_795_000_000_000
A_MINUTE: Final = 60
"""Events of a room a minute."""
ENOUGH: Final = 300
"""Lines that a room has at least to choose from, on each side."""
MINUTE: Final = 60_000
ROUNDS: Final = 4

_VERTICALS: Final = {
    "food": "food snack snacks meat tea dairy drink seafood alcohol eating",
    "agriculture": "agri farm farming produce",
    "beauty": "beauty skincare makeup hair personal-care",
    "clothing": "clothing shoes underwear lingerie hat scarf sock bag bags",
    "jewellery": "jade jewellery gold pearl amber antique coins wood watch",
    "education": "education books study stationery",
    "finance": "finance insurance loan property franchise",
    "health": "health meddevice medaes slimming device",
    "jobs": "recruiting side-job parttime",
    "travel": "travel",
    "entertainment": "singing dance pk dating game gaming fortune digital-human",
    "": "chat anyroom mixed",  # of any room
}
HOME: Final = "home"
"""The trade of all other verticals."""
_TRADE: Final = {vertical: trade for trade, some in _VERTICALS.items() for vertical in some.split()}
TRADES: Final = (*filter(None, _VERTICALS), HOME)
_PLATFORMS: Final = ("douyin", "taobao", "kuaishou", "wechat_channels")

_DUE: Final = {
    "lottery_started": ("福袋说一下规则，平台自动抽，份数和开奖时间都写在福袋页面上，不用花钱",
                        "这个福袋免费参与，一共五份，到点系统开奖，中了的在订单里填地址"),
    "gift": ("谢谢你的小礼物，未成年人请不要打赏，成年的朋友也理性消费",
             "礼物真不用刷，没满十八岁的别送，大家量力而行"),
    "pk_started": ("打个PK图个热闹，未成年人不要打赏，大家理性一点别上头",
                   "输赢都没关系，没成年的小朋友别送礼物，成年人也量力而行"),
    "digital_human_on": ("跟大家说明一下，本场直播由数字人讲解，画面和声音都是人工智能生成的",
                         "再提醒一次，正在讲解的是数字人，声音是AI合成的"),
    "finance": ("投资有风险，过往业绩不代表以后，买之前把产品说明书看清楚",
                "再说一遍，理财有风险，收益我不保证"),
    "health": ("保健食品不是药物，不能代替药物，不舒服先去医院",
               "再提醒一句，这个代替不了药，有病听医生的"),
}
"""What a lawful host says after a signal, or in a trade."""
_AGAIN: Final = 8 * MINUTE


class Said(NamedTuple):
    kind: Kind
    role: Role
    text: str


class Stock(NamedTuple):
    """`runs`: what the host side says, topic by topic."""

    runs: list[list[Said]]
    comments: list[Said]


class Room(NamedTuple):
    """`context`: None where nobody has told what room it is. `silent`: what is due is not said."""

    name: str
    trade: str
    context: RoomContext | None
    silent: bool
    digital: bool


def rooms(count: int) -> list[Room]:
    """The trades in turn; of four rounds the second keeps silent and the fourth is of rooms that are not known."""
    return [_room(n) for n in range(count)]


def _room(n: int) -> Room:
    trade, turn = TRADES[n % len(TRADES)], n // len(TRADES) % ROUNDS
    name = f"room-{n:03}"
    known = RoomContext(room=name, vertical=trade, platform=_PLATFORMS[n % len(_PLATFORMS)])
    return Room(name, trade, None if turn == 3 else known, silent=turn == 1, digital=n % 3 == 0)


def stocks(ordinary: Iterable[Line], *, with_demo: bool) -> dict[str, Stock]:
    """Trade → what can be said in it; "" → in any room."""
    found = {trade: Stock([], []) for trade in (*TRADES, "")}
    for (vertical, _), some in groupby(ordinary, lambda line: (line.vertical, line.topic)):
        _put(found[_TRADE.get(vertical, HOME)],
             [Said(Kind(line.kind), Role(line.speaker), line.text) for line in some])
    for trade, pieces in demo.lawful().items() if with_demo else ():
        for piece in pieces:
            _put(found[trade], [Said(e.kind, e.speaker.role, e.text) for e in piece if isinstance(e.speaker, Speaker)])
    return found


def _put(stock: Stock, some: Sequence[Said]) -> None:
    stock.comments.extend(said for said in some if said.kind is Kind.COMMENT)
    run = [said for said in some if said.kind is not Kind.COMMENT]
    if run:
        stock.runs.append(run)


def events(room: Room, stocks_: Mapping[str, Stock], *, minutes: int, seed: int) -> list[Event]:
    """The room's events in order of time, `A_MINUTE` a minute."""
    chance = Random(f"{seed}/{room.name}")
    stock = _some(room, stocks_, chance)
    signals = list(_signals(room, minutes, chance))
    said = list(_speech(room, stock, signals, minutes, chance))
    written = _written(room, stock, A_MINUTE * minutes - len(signals) - len(said), minutes, chance)
    ordered = sorted([*signals, *said, *written], key=lambda event: event.at)
    return [Event(id=f"{room.name}-{n:05}", room=room.name, source="stream", at=BEGIN + event.at, kind=event.said.kind,
                  text=event.said.text, speaker=Speaker(event.said.role, event.speaker),
                  offset_ms=event.at if event.said.kind is Kind.TRANSCRIPT else None)
            for n, event in enumerate(ordered)]


class _Timed(NamedTuple):
    at: int
    speaker: str
    said: Said


def _some(room: Room, stocks_: Mapping[str, Stock], chance: Random) -> Stock:
    """The room's own, what fits any room, and from other trades as much as is missing. Shuffled."""
    own, anywhere = stocks_[room.trade], stocks_[""]
    found = Stock([*own.runs, *anywhere.runs], [*own.comments, *anywhere.comments])
    others = [trade for trade in TRADES if trade != room.trade]
    runs = [run for trade in others for run in stocks_[trade].runs]
    comments = [each for trade in others for each in stocks_[trade].comments]
    chance.shuffle(runs)
    chance.shuffle(comments)
    while runs and sum(map(len, found.runs)) < ENOUGH:
        found.runs.append(runs.pop())
    found.comments.extend(comments[:max(0, ENOUGH - len(found.comments))])
    chance.shuffle(found.runs)
    chance.shuffle(found.comments)
    return found


def _signals(room: Room, minutes: int, chance: Random) -> Iterator[_Timed]:
    end = minutes * MINUTE
    yield _signal(0, "broadcast_started")
    yield _signal(end, "broadcast_ended")
    shown = cycle(("link_pinned", "product_explained", "heartbeat"))
    for at, name in zip(range(MINUTE, end, 3 * MINUTE), shown, strict=False):
        yield _signal(at, name)
    yield _signal(end // 3, "lottery_started")
    yield _signal(end // 3 + 3 * MINUTE, "lottery_ended")
    if room.digital:
        yield _signal(2 * MINUTE, "digital_human_on")
    if room.trade == "entertainment":
        yield _signal(end // 2, "pk_started")
        yield _signal(end // 2 + 5 * MINUTE, "pk_ended")
    for _ in range(minutes if room.trade == "entertainment" else 1):
        yield _Timed(chance.randrange(MINUTE, end), _viewer(chance), Said(Kind.SIGNAL, Role.VIEWER, "gift"))


def _signal(at: int, name: str) -> _Timed:
    return _Timed(at, "platform", Said(Kind.SIGNAL, Role.OFFICIAL, name))


def _speech(room: Room, stock: Stock, signals: Sequence[_Timed], minutes: int, chance: Random) -> Iterator[_Timed]:
    """Five characters a second, and a breath."""
    due = [] if room.silent else sorted(_due(room, signals, minutes))
    lines = cycle([said for run in stock.runs for said in run])
    at = 1_000
    while at < minutes * MINUTE:
        said = Said(Kind.TRANSCRIPT, Role.HOST, due.pop(0)[1]) if due and due[0][0] <= at else next(lines)
        yield _Timed(at, f"{said.role}-{room.name}", said)
        at += len(said.text) * 200 + chance.randrange(300, 1_500)


def _due(room: Room, signals: Sequence[_Timed], minutes: int) -> Iterator[tuple[int, str]]:
    """When the host says what: soon after a signal (of gifts the first), and what goes on, again and again."""
    first: dict[str, int] = {room.trade: MINUTE}
    for at, _, said in sorted(signals):
        first.setdefault(said.text, at + 10_000)
    for name, begin in first.items():
        texts = cycle(_DUE.get(name, ()))
        yield from zip(range(begin, minutes * MINUTE, _AGAIN), texts, strict=False)


def _written(room: Room, stock: Stock, count: int, minutes: int, chance: Random) -> Iterator[_Timed]:
    """Viewers at any time; a third of the comments is by a few regulars."""
    lines = cycle(stock.comments)
    for _ in range(count):
        said = next(lines)
        speaker = _viewer(chance) if said.role in (Role.VIEWER, Role.UNKNOWN) else f"{said.role}-{room.name}"
        yield _Timed(chance.randrange(1_000, minutes * MINUTE), speaker, said)


def _viewer(chance: Random) -> str:
    return f"u{chance.randrange(20 if chance.random() < 1 / 3 else 600):04}"
