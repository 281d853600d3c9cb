"""The trades of rooms, as a classifier knows them."""

from collections.abc import Mapping

from monitor.domain.rules import RoomContext
from monitor.engine.batch import Batch
from monitor.engine.scorer import Scorer
from monitor.engine.views import Index


class Trades:
    """For one scorer, and what is known of the rooms."""

    def __init__(self, scorer: Scorer | None, rooms: Mapping[tuple[str, str], RoomContext]) -> None:
        column = {name: i for i, name in enumerate(scorer.verticals)} if scorer else {}
        self._of = {place: column[room.vertical] for place, room in rooms.items() if room.vertical in column}

    def of(self, batch: Batch) -> Index | None:
        """int64[n]: of each event its room's trade among `Scorer.verticals`, -1 where that is not known; None where no
        room's is."""
        return batch.of_rooms(self._of) if self._of else None
