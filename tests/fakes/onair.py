"""The port of rooms on air in memory."""

from monitor.domain.broadcasts import Broadcast
from monitor.domain.cues import Cue
from monitor.services.onair import Point
from monitor.services.wall import Pulse
from tests.fakes.posts import MemoryPosts


class MemoryAir:
    """Implements `AirStore`: the broadcasts of the posts, and the points and pulses that are put in."""

    def __init__(self, posts: MemoryPosts) -> None:
        self.posts = posts
        self.found: list[Point] = []
        self.beats: list[Pulse] = []

    async def aired(self, tenant: str, room: str, *, broadcast: str | None, limit: int) -> list[Broadcast]:
        found = [each for each in self.posts.aired
                 if each.tenant == tenant and each.room == room and broadcast in (None, each.id)]
        return sorted(found, key=lambda each: each.started_at, reverse=True)[:limit]

    async def points(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Point]:
        return [point for point in self.found if point.at >= since][:limit]

    async def cues(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Cue]:
        return []

    async def pulses(self, tenant: str, *, since: int) -> list[Pulse]:
        return self.beats
