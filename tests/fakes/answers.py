"""Kept answers in memory."""

from monitor.services.answers import Answered, Key


class MemoryAnswers:
    """Implements `Answers`."""

    def __init__(self) -> None:
        self.kept: dict[Key, Answered] = {}

    async def answer(self, key: Key, *, since: int) -> Answered | None:
        found = self.kept.get(key)
        return found if found is not None and found.at >= since else None

    async def keep_answer(self, key: Key, answered: Answered) -> None:
        self.kept[key] = answered

    async def expire(self, *, before: int, limit: int) -> int:
        old = sorted((key for key, one in self.kept.items() if one.at < before), key=lambda key: self.kept[key].at)
        for key in old[:limit]:
            del self.kept[key]
        return len(old[:limit])
