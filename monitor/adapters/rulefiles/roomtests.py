"""What a selection asks of the room: `room: {qualification: [medical]}`, `room: {hour: 22-6}`."""

import re
from typing import Final

from monitor.adapters.rulefiles.faults import Faults
from monitor.adapters.rulefiles.fields import Fields, text_of
from monitor.adapters.rulefiles.nodes import Items, Node
from monitor.domain.phrases import phrase
from monitor.domain.rules import Fact, RoomTest

_HOURS: Final = re.compile(r"([01]?[0-9]|2[0-4])-([01]?[0-9]|2[0-4])")
_AGES: Final = re.compile(r"([0-9]{1,6})([smh])-([0-9]{1,6})([smh])")
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def read_room_test(node: Node, faults: Faults) -> RoomTest | None:
    fields = Fields(node, faults, "room", tuple(Fact))
    asked = [fact for fact in Fact if fact in fields]
    if len(asked) != 1:
        if fields.readable and not fields.strangers:
            faults.add(node, "room asks for one fact", phrase("write one of {names}", names=", ".join(Fact)))
        return None
    fact = asked[0]
    if fact in (Fact.HOUR, Fact.AGE):
        return _bounds(fact, fields)
    said = fields.node(fact)
    if said is not None and not isinstance(said, Items):
        word = text_of(said, faults, fact)
        return RoomTest(fact, (word,)) if word else None
    return RoomTest(fact, tuple(word for word, _ in fields.words(fact)))


def _bounds(fact: Fact, fields: Fields) -> RoomTest | None:
    text = fields.text(fact)
    if fact is Fact.HOUR:
        hours = _HOURS.fullmatch(text)
        if hours:
            return RoomTest(fact, (hours[1], hours[2]))
    elif ages := _AGES.fullmatch(text):
        since, until = int(ages[1]) * SECONDS[ages[2]], int(ages[3]) * SECONDS[ages[4]]
        if since < until:
            return RoomTest(fact, (str(since), str(until)))
    if text:
        sample = "22-6" if fact is Fact.HOUR else "0s-10m"
        fields.faults.add(fields.where(fact), phrase("{fact} must be two bounds", fact=fact),
                          phrase("write {sample}", sample=sample))
    return None
