"""The ports of cues and messages in memory."""

from collections.abc import Sequence

from msgspec.structs import replace

from monitor.domain.audit import Deed
from monitor.domain.cues import Cue, RoomLink, Track, earned
from monitor.domain.messages import Message, State
from monitor.services.cueing import Surroundings
from monitor.services.messaging import Posted, PostedPage, Settled
from tests.fakes.posts import MemoryPosts


class MemoryCues:
    """Implements `CueStore`; of tracks it knows those that are put in."""

    def __init__(self, posts: MemoryPosts) -> None:
        self.posts = posts
        self.rows: dict[tuple[str, str], Cue] = {}
        self.link_rows: dict[str, RoomLink] = {}
        self.tracks: dict[tuple[str, str], Track] = {}

    def _put(self, cue: Cue) -> Cue:
        cue = replace(cue, seq=1 + max((each.seq for each in self.rows.values()), default=0))
        self.rows[cue.tenant, cue.id] = cue
        return cue

    async def tell(self, tenant, alert, step):
        case = self.posts.cases.get((tenant, alert))
        if case is None:
            return None
        last = max((cue.at for cue in self.rows.values() if cue.room == case.alert.room and cue.by[:5] == "rule:"),
                   default=None)
        told = step(case, Surroundings(track=self.tracks.get((tenant, case.alert.rule), Track()), last_at=last))
        await self.posts.write([told.deed])
        return self._put(told.cue)

    async def change(self, tenant, cue, step):
        known = self.rows.get((tenant, cue))
        if known is None:
            return None
        after = step(known)
        if after is None:
            return known
        await self.posts.write([after[1]])
        return self._put(after[0])

    async def shown(self, tenant: str, room: str, *, after: int, since: int, limit: int) -> list[Cue]:
        found = [cue for (of, _), cue in self.rows.items()
                 if of == tenant and cue.room == room and cue.seq > after and cue.at >= since]
        return sorted(found, key=lambda cue: cue.seq)[-limit:]

    async def of_alert(self, tenant: str, alert: str) -> list[Cue]:
        return [cue for (of, _), cue in self.rows.items() if of == tenant and cue.alert == alert]

    async def correct(self, tenant, alert, corrected, deed):
        return [] if (tenant, alert) in self.posts.cases else None

    async def earned(self) -> set[tuple[str, str]]:
        return {key for key, track in self.tracks.items() if earned(track)}

    async def add_link(self, link: RoomLink, sha256: str, deed: Deed) -> None:
        self.link_rows[sha256] = link
        await self.posts.write([deed])

    async def links(self, tenant: str, room: str, *, after=None, limit=None) -> list[RoomLink]:
        found = [link for link in self.link_rows.values() if (link.tenant, link.room) == (tenant, room)
                 and (after is None or (link.made_at, link.id) < after)]
        return sorted(found, key=lambda link: (link.made_at, link.id), reverse=True)[:limit]

    async def link(self, sha256: str) -> RoomLink | None:
        return self.link_rows.get(sha256)

    async def revoke_link(self, tenant: str, room: str, link: str, now: int, deed: Deed) -> RoomLink | None:
        for sha256, known in self.link_rows.items():
            if (known.tenant, known.room, known.id) == (tenant, room, link):
                self.link_rows[sha256] = replace(known, revoked_at=known.revoked_at or now)
                await self.posts.write([deed])
                return self.link_rows[sha256]
        return None


class MemoryMail:
    """Implements `Mail` and `Announcing`; of deeds it keeps those of the latter."""

    def __init__(self) -> None:
        self.rows: dict[str, Posted] = {}
        self.deeds: list[Deed] = []

    async def put(self, given: Sequence[Message], deeds: Sequence[Deed]) -> None:
        for message in given:
            self.rows[message.id] = Posted(message=message, state=State.WAITING, due=message.due, tries=0, error="")

    async def once(self, given: Sequence[Message], deeds: Sequence[Deed]) -> bool:
        new = [message for message in given if message.id not in self.rows]
        await self.put(new, deeds)
        if new:
            self.deeds += deeds
        return bool(new)

    async def given(self, messages: Sequence[str]) -> set[str]:
        return {name for name in messages if name in self.rows}

    async def due(self, now: int, *, each: int) -> list[Posted]:
        return [row for row in self.rows.values() if row.due is not None and row.due <= now]

    async def settle(self, settled: Sequence[Settled]) -> None:
        for one in settled:
            self.rows[one.message.id] = Posted(
                message=one.message, state=one.state, due=one.due, tries=one.tries, error=one.error)

    async def page(self, tenant, *, state, channel, cursor, limit) -> PostedPage:
        found = [row for row in self.rows.values() if row.message.tenant == tenant
                 and state in (None, row.state) and channel in (None, row.message.channel)]
        return PostedPage(found[:limit], None)


class NoCourier:
    """Implements `Courier`: nothing goes out."""

    async def send(self, channel, message) -> None:
        raise AssertionError("nothing is sent here")
