"""Every kind of record, by its word."""

from collections.abc import Mapping
from typing import Final

from monitor.domain.channels import Channel
from monitor.domain.cues import CueRule
from monitor.domain.links import Link
from monitor.domain.moves import Reason
from monitor.domain.organisation import Host, Post, Product, Profile, Room, Routes, Shift, Slot, Unit
from monitor.domain.record import Record
from monitor.domain.suppression import Silence, Waiver

KINDS: Final[Mapping[str, type[Record]]] = {
    kind.kind: kind
    for kind in (
        Unit, Channel, Profile, Host, Product, Room, Slot, Post, Shift, Routes, Reason, Silence, Waiver,
        Link, CueRule)
}
"""In an order in which each can be made: what a record names comes before it."""
