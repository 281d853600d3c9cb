"""Lines as evaders would write them: characters swapped for others of the same sound. Deterministic."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from numpy.random import PCG64, Generator

from monitor.domain.labelled import Labelled
from monitor.engine.views import ViewTables


def homophones(
    lines: Sequence[Labelled], tables: ViewTables, *, share: float, swapped: float, seed: int
) -> list[Labelled]:
    """Copies of about `share` of the lines, with about `swapped` of their Han characters replaced."""
    rng = Generator(PCG64(seed))
    sounding: dict[int, list[str]] = defaultdict(list)
    for unit, readings in tables.readings.items():
        for reading in readings[:1]:
            sounding[reading].append(chr(unit))
    chosen = [line for line, draw in zip(lines, rng.random(len(lines)), strict=True) if draw < share]
    found = []
    for line in chosen:
        draws = rng.random((len(line.text), 2))
        text = "".join(_swapped(c, pick, sounding, tables) if draw < swapped else c
                       for c, (draw, pick) in zip(line.text, draws.tolist(), strict=True))
        found.append(msgspec.structs.replace(line, text=text))
    return found


def _swapped(char: str, pick: float, sounding: dict[int, list[str]], tables: ViewTables) -> str:
    readings = tables.readings.get(ord(char), ())
    same = sounding.get(readings[0], []) if readings else []
    return same[int(pick * len(same))] if same else char
