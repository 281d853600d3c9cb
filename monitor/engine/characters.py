"""Terms and patterns folded as the views of texts are: strings in which each unit is a character."""

from collections.abc import Callable

from monitor.engine.views import INVISIBLE, SYLLABLE_BASE, UNKNOWN_SIGN, ViewTables


class _Translation(dict[int, int | None]):
    """For str.translate: what a unit becomes, None for nothing; each is asked for once."""

    def __init__(self, of: Callable[[int], int | None]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, unit: int) -> int | None:
        found = self[unit] = self._of(unit)
        return found


class Characters:
    def __init__(self, tables: ViewTables) -> None:
        self.tables = tables
        self._names = tables.syllable_names
        self._plain = _Translation(self._unit)
        self._kept = _Translation(lambda unit: unit if tables.keep[unit] else None)
        self._worded = _Translation(lambda unit: int(tables.signs[unit]) or (unit if tables.keep[unit] else None))
        self._sound = _Translation(lambda unit: int(tables.sound[unit]))
        self._merged = _Translation(lambda unit: int(tables.merged[unit]))
        self._beside = {chr(u): "".join(map(chr, read[1:])) for u, read in tables.readings.items() if len(read) > 1}

    def _unit(self, point: int) -> int:
        low, high = INVISIBLE
        plain = self.tables.plain
        return int(plain[UNKNOWN_SIGN if low <= point < high else min(point, plain.size - 1)])

    def plain(self, text: str) -> str:
        """One unit for each code point."""
        return text.translate(self._plain)

    def skeleton(self, units: str) -> str:
        """Of plain units, those that the skeleton keeps."""
        return units.translate(self._kept)

    def worded(self, units: str) -> str:
        """Of plain units, those that the skeleton keeps, and the words that signs stand for."""
        return units.translate(self._worded)

    def sounds(self, units: str) -> str:
        """Each unit as its usual reading, or as itself."""
        return units.translate(self._sound)

    def merged(self, units: str) -> str:
        """Of syllables that dialects and recognisers confuse, one."""
        return units.translate(self._merged)

    def other_readings(self, unit: str) -> str:
        return self._beside.get(unit, "")

    def initial(self, unit: str) -> str:
        """The first letter of its usual reading, "" for what has none."""
        code = ord(self.sounds(unit)) - SYLLABLE_BASE
        return self._names[code][0] if 0 <= code < len(self._names) and code + SYLLABLE_BASE != ord(unit) else ""

    def syllables(self, latin: str) -> str:
        """Pinyin as the syllables that it spells; other letters as they are."""
        found = self.tables.spelled(latin.encode())
        return latin if found is None else "".join(chr(unit) for _, _, unit in found)
