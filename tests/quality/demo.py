"""The demo's streams and what their writer expected of them (config/demo/expected.tsv)."""

import csv
import re
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from monitor.domain.events import Event, Kind

DEMO: Final = Path(__file__).parents[2] / "config/demo"


class Expected(NamedTuple):
    """`lines`: ids of the event and, where it goes on from earlier ones, of those."""

    id: str
    labels: frozenset[str]
    note: str
    lines: tuple[str, ...]


def expected() -> list[Expected]:
    with (DEMO / "expected.tsv").open(encoding="utf-8", newline="") as file:
        return [_row(row) for row in csv.DictReader(file, delimiter="\t")]


def _row(row: dict[str, str]) -> Expected:
    begins = re.search(r"begins in (\w+)-(\d+)", row["note"])
    room, _, last = row["id"].partition("-")
    first = int(begins[2]) if begins else int(last)
    assert begins is None or (begins[1] == room and first <= int(last)), row
    return Expected(row["id"], frozenset(filter(None, row["labels"].split(","))), row["note"],
                    tuple(f"{room}-{n:04}" for n in range(first, int(last) + 1)))


def lawful() -> dict[str, list[list[Event]]]:
    """Trade → what is said and written in its stream, in pieces: cut where something unlawful, or a signal, stood."""
    unlawful = {line for row in expected() if row.labels for line in row.lines}
    decoder = msgspec.json.Decoder(Event)
    return {path.stem: [list(piece) for whole, piece in groupby(
                decoder.decode_lines(path.read_bytes()),
                lambda event: event.id not in unlawful and event.kind is not Kind.SIGNAL) if whole]
            for path in sorted(DEMO.glob("*.ndjson"))}
