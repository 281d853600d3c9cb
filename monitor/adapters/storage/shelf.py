"""The archive's files: `<day>/<lane>-<from seq>-<to seq>.parquet`, found again by their names alone.

A file appears in full or not at all (temporary file, fsync, rename). Where a range of log positions is written again,
or neighbours become one file, the new file comes first and what it replaces goes after it; a crash in between leaves
rows twice, and a search tells each event once. What lies wholly within another file goes at the next start.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from monitor.adapters.disk import sync
from monitor.adapters.storage.listing import listed
from monitor.adapters.storage.merging import Merge, worth_merging
from monitor.adapters.storage.segmentfile import (
    Facts,
    Made,
    Piece,
    Reader,
    Segment,
    Unusable,
    made,
    read_facts,
    refusals,
    rows,
    spread,
    together,
    without,
)
from monitor.adapters.storage.segments import Judged, table_of
from monitor.domain.errors import StorageError
from monitor.services.ports import FailPoint, Logger

_NAME: Final = re.compile(r"(\d+)-(\d+)-(\d+)\.parquet(?:\.bad)?")
_DAYS: Final = "????-??-??"
_STEP_S: Final = 0.03


class Shelf:
    """Files under one folder. Every method belongs in one thread; `segments` and `ends` may be read from others.

    `segments`: that with the newest event first. `ends`: by lane, up to which log position nothing is missing.
    """

    def __init__(self, root: Path, *, log: Logger, failpoint: FailPoint, reads_only: bool = False) -> None:
        """`reads_only`: another process may write here; nothing is made, moved or removed."""
        self.root = root
        self._reads_only = reads_only
        self.segments: tuple[Segment, ...] = ()
        self.ends: dict[int, int] = {}
        self._runs: list[list[Segment]] = []  # to be merged, the next one last
        self._merge: Merge | None = None
        self._log = log
        self._failpoint = failpoint

    def open(self) -> None:
        """Find the files; unfinished and doubled ones go, unreadable ones are set aside.

        A file that is set aside leaves a hole, so that its range is read from the log once more; from the next
        start on it counts as there, or a single bad file would have the log re-read for as long as it is kept.
        Raises NewerFormat, StorageError.
        """
        with refusals(self.root):
            if not self._reads_only:
                self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            ranges: dict[int, list[tuple[int, int]]] = {}
            found = []
            for path in (path for day in listed(self.root, _DAYS) for path in list(day.iterdir())):
                place = place_of(path)
                if place is None:
                    if path.suffix == ".tmp" and not self._reads_only:
                        path.unlink()
                    continue
                lane, first, last = place
                if path.suffix != ".bad":
                    facts = self._facts(path)
                    if facts is None:
                        continue
                    found.append(Segment(path, lane, first, last, facts))
                ranges.setdefault(lane, []).append((first, last))
            doubled = _doubled(found)
            for segment in doubled if not self._reads_only else ():
                segment.path.unlink()
        self.segments = tuple(sorted((segment for segment in found if segment not in doubled), key=newest_first))
        self.ends = {lane: _reach(sorted(known)) for lane, known in ranges.items()}

    def _facts(self, path: Path) -> Facts | None:
        try:
            return read_facts(path)
        except Unusable as bad:
            self._set_aside(path, bad.error)
            return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        if self._reads_only:
            return
        path.rename(path.with_name(f"{path.name}.bad"))
        self._log.error("archive_segment_unreadable", path=f"{path}.bad", error=str(error))

    def put(self, lane: int, judged: Sequence[Judged]) -> None:
        """Write frames (at least one, by seq) as a segment, in place of what was kept of them."""
        seqs, table = [item.seq for item in judged], table_of(judged)
        folder = self.root / _day(judged[0].frame.accepted_at)
        with refusals(self.root):
            while True:
                try:
                    self._put(folder, lane, seqs, table)
                    break
                except Unusable as bad:
                    self.drop(bad.path, bad.error)
        self.ends[lane] = max(self.ends.get(lane, 0), seqs[-1])

    def _put(self, folder: Path, lane: int, seqs: Sequence[int], table: Any) -> None:
        """A re-read may begin or end inside of a segment, whose other part then becomes one of its own."""
        first, last = seqs[0], seqs[-1]
        own = [segment for segment in self.segments if segment.lane == lane]
        touched = [segment for segment in own if segment.first <= last and segment.last >= first]
        self._leave_off(touched)
        among, heads, tails = [table], [], []
        for old in touched:
            path, (low, high) = old.path, spread(old.path)
            among += [left for part in rows(path, first, last) if (left := without(part, seqs)).num_rows]
            if low < first:
                heads.append(Piece(path.parent, lane, old.first, first - 1, rows(path, low, first - 1)))
            if high > last:
                tails.append(Piece(path.parent, lane, last + 1, old.last, rows(path, last + 1, high)))
        # Between two segments lie only positions of the other lane: ranges that meet say that nothing is missing.
        after = max((segment.last for segment in own if segment.last < first), default=first - 1) + 1
        start = first if heads else min([after, *(old.first for old in touched)])
        stop = last if tails else max([last, *(old.last for old in touched)])
        whole = table if len(among) == 1 else together(among).sort_by("seq")
        new: list[Made] = []
        try:
            for piece in (Piece(folder, lane, start, stop, [whole]), *heads, *tails):
                new.append(made(piece))
        except (OSError, StorageError, Unusable):
            for temporary, _ in new:
                temporary.unlink(missing_ok=True)
            raise
        self._exchange(new, touched)

    def _exchange(self, new: Sequence[Made], old: Sequence[Segment]) -> None:
        """Put the new files in place, then remove the old ones."""
        self._failpoint("segment_written")
        try:
            for temporary, segment in new:
                temporary.rename(segment.path)
        except OSError:
            for temporary, _ in new:
                temporary.unlink(missing_ok=True)
            raise
        for folder in {segment.path.parent for _, segment in new}:
            sync(folder)
        self._failpoint("segment_renamed")
        # The list first: a search that misses a file looks there whether others have taken its place.
        self._change(old, [segment for _, segment in new])
        taken = {segment.path for _, segment in new}
        for segment in old:
            if segment.path not in taken:
                segment.path.unlink(missing_ok=True)
                self._failpoint("segment_removed")

    def _change(self, gone: Sequence[Segment], new: Sequence[Segment] = ()) -> None:
        """In the list; but for a part of it, the order stays, however long it is."""
        times = [segment.facts.at_max for segment in (*gone, *new)]
        if not times:
            return
        start = bisect_left(self.segments, -max(times), key=newest_first)
        stop = bisect_right(self.segments, -min(times), key=newest_first)
        paths = {segment.path for segment in gone}
        part = [segment for segment in self.segments[start:stop] if segment.path not in paths]
        self.segments = (*self.segments[:start], *sorted([*part, *new], key=newest_first), *self.segments[stop:])

    def _leave_off(self, gone: Sequence[Segment]) -> None:
        """Before these go: no merging of them, and what is to be merged next is planned anew."""
        if gone:
            self._runs = []
        if self._merge is not None and not {s.path for s in gone}.isdisjoint(s.path for s in self._merge.run):
            self.close()

    def tidy(self, before: int, *, seconds: float = _STEP_S) -> bool:
        """Go on for about so long with merging segments whose events lie before this time (UTC ms).

        False where nothing is worth it. Raises StorageError; what was half done then begins anew.
        """
        if self._merge is None:
            self._runs = self._runs or list(worth_merging(self.segments, before))[::-1]
            if not self._runs:
                return False
            self._merge = Merge(self._runs.pop())
        merge, self._merge = self._merge, None
        with refusals(self.root):
            try:
                new = merge.go_on(seconds)
            except Unusable as bad:
                self.drop(bad.path, bad.error)
                return True
            if new is None:
                self._merge = merge
            else:
                self._exchange([new], merge.run)
        return True

    def close(self) -> None:
        """Leave off merging."""
        if self._merge is not None:
            self._merge.close()
            self._merge = None

    def expire(self, before: int) -> int:
        """Delete the segments whose newest event lies before this time (UTC ms), and what was set aside by then."""
        gone = [segment for segment in self.segments if segment.facts.at_max < before]
        self._leave_off(gone)
        with refusals(self.root):
            for segment in gone:
                segment.path.unlink(missing_ok=True)
            for folder in listed(self.root, _DAYS):
                if folder.name < _day(before):
                    for aside in listed(folder, "*.parquet.bad"):
                        aside.unlink()
                    with suppress(OSError):  # not empty
                        folder.rmdir()
        self._change(gone)
        return len(gone)

    def reader(self, segment: Segment) -> Reader:
        """To be closed. Raises Unusable, StorageError."""
        return Reader(segment.path)

    def drop(self, path: Path, error: Exception) -> None:
        """Set aside a segment that turned out to be unreadable, or forget one that somebody removed."""
        known = [segment for segment in self.segments if segment.path == path]
        self._leave_off(known)
        with refusals(self.root):
            if known and path.exists():
                self._set_aside(path, error)
        self._change(known)


def _doubled(segments: Iterable[Segment]) -> set[Segment]:
    """Those whose log positions all lie within another one of their lane."""
    found = set()
    ends: dict[int, int] = {}
    for segment in sorted(segments, key=lambda s: (s.lane, s.first, -s.last)):
        if segment.last <= ends.get(segment.lane, -1):
            found.add(segment)
        else:
            ends[segment.lane] = segment.last
    return found


def place_of(path: Path) -> tuple[int, int, int] | None:
    """The lane, the first and the last log position that a segment's name tells; None for another file."""
    name = _NAME.fullmatch(path.name)
    return None if name is None else (int(name[1]), int(name[2]), int(name[3]))


def newest_first(segment: Segment) -> int:
    """What newest first goes by."""
    return -segment.facts.at_max


def _reach(ranges: Sequence[tuple[int, int]]) -> int:
    """The end of the ranges (in order) as far as they meet."""
    end = ranges[0][1]
    for first, last in ranges:
        if first > end + 1:
            break
        end = max(end, last)
    return end


def _day(at: int) -> str:
    """The UTC date of a time in UTC ms."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).strftime("%Y-%m-%d")
