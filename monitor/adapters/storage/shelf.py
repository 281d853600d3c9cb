"""The archive's files: `<day>/<lane>-<from seq>-<to seq>.parquet`, found again by their names alone.

A file appears in full or not at all (temporary file, fsync, rename). Where a range of log positions is written again,
the new file comes first and what it replaces goes after it; a crash in between leaves rows twice, and a search tells
each event once.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from monitor.adapters.storage.copies import sync
from monitor.adapters.storage.segments import Facts, Judged, columns, leave, merged, read_facts, table_of, write
from monitor.domain.errors import StorageError
from monitor.services.ports import FailPoint, Logger

_NAME: Final = re.compile(r"(\d+)-(\d+)-(\d+)\.parquet(\.bad)?")
_DAYS: Final = "????-??-??"


class Unreadable(Exception):
    """A file that is no segment, or a damaged one."""


class Segment(NamedTuple):
    """A file: the log positions `first` to `last` of one lane."""

    path: Path
    lane: int
    first: int
    last: int
    facts: Facts


class Piece(NamedTuple):
    """Rows that are to become a segment."""

    folder: Path
    lane: int
    first: int
    last: int
    table: Any


class Shelf:
    """Files under one folder. Every method belongs in one thread; `segments` and `ends` may be read from others.

    `segments`: that with the newest event first. `ends`: by lane, up to which log position nothing is missing.
    """

    def __init__(self, root: Path, *, log: Logger, failpoint: FailPoint) -> None:
        self.root = root
        self.segments: tuple[Segment, ...] = ()
        self.ends: dict[int, int] = {}
        self._log = log
        self._failpoint = failpoint

    def open(self) -> None:
        """Find the files; delete unfinished ones, set unreadable ones aside. Raises NewerFormat, StorageError.

        A file that is set aside leaves a hole, so that its range is read from the log once more; from the next
        start on it counts as there, or a single bad file would have the log re-read for as long as it is kept.
        """
        with refusals(self.root):
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            ranges: dict[int, list[tuple[int, int]]] = {}
            found = []
            for path in (path for day in self.root.glob(_DAYS) for path in list(day.iterdir())):
                name = _NAME.fullmatch(path.name)
                if name is None:
                    if path.suffix == ".tmp":
                        path.unlink()
                    continue
                lane, first, last = int(name[1]), int(name[2]), int(name[3])
                if not name[4]:
                    facts = self._facts(path)
                    if facts is None:
                        continue
                    found.append(Segment(path, lane, first, last, facts))
                ranges.setdefault(lane, []).append((first, last))
        self.segments = _newest_first(found)
        self.ends = {lane: _reach(sorted(known)) for lane, known in ranges.items()}

    def _facts(self, path: Path) -> Facts | None:
        try:
            with reading(self.root):
                return read_facts(path)
        except Unreadable as error:
            self._set_aside(path, error)
            return None

    def _set_aside(self, path: Path, error: Exception) -> None:
        path.rename(path.with_name(f"{path.name}.bad"))
        self._log.error("archive_segment_unreadable", path=f"{path}.bad", error=str(error))

    def put(self, lane: int, judged: Sequence[Judged]) -> None:
        """Write frames (at least one, by seq) as a segment, in place of what was kept of them."""
        seqs = [item.seq for item in judged]
        first, last = seqs[0], seqs[-1]
        own = [segment for segment in self.segments if segment.lane == lane]
        touched = [segment for segment in own if segment.first <= last and segment.last >= first]
        with refusals(self.root):
            heads, among, tails = self._left(touched, seqs)
            # Between two segments lie only positions of the other lane: ranges that meet say that nothing is missing.
            after = max((segment.last for segment in own if segment.last < first), default=first - 1) + 1
            start = first if heads else min([after, *(old.first for old in touched)])
            stop = last if tails else max([last, *(old.last for old in touched)])
            day = self.root / _day(judged[0].frame.accepted_at)
            self._exchange([Piece(day, lane, start, stop, merged([table_of(judged), *among])), *heads, *tails], touched)
        self.ends[lane] = max(self.ends.get(lane, 0), last)

    def _left(self, touched: Iterable[Segment], seqs: Sequence[int]) -> tuple[list[Piece], list[Any], list[Piece]]:
        """What the touched segments hold before, among and after these positions.

        A re-read may begin or end inside of a segment, whose other part then becomes one of its own.
        """
        heads, among, tails = [], [], []
        for old in touched:
            try:
                with reading(self.root):
                    before, between, after = leave(old.path, seqs)
            except FileNotFoundError:
                continue  # somebody removed it
            except Unreadable as error:
                self._set_aside(old.path, error)
                continue
            if before.num_rows:
                heads.append(Piece(old.path.parent, old.lane, old.first, seqs[0] - 1, before))
            among.append(between)
            if after.num_rows:
                tails.append(Piece(old.path.parent, old.lane, seqs[-1] + 1, old.last, after))
        return heads, among, tails

    def _exchange(self, pieces: Sequence[Piece], old: Sequence[Segment]) -> None:
        """Put the new files in place, then remove the old ones."""
        written: list[tuple[Path, Segment]] = []
        try:
            for piece in pieces:
                written.append(_write(piece))
            self._failpoint("segment_written")
            for temporary, segment in written:
                temporary.rename(segment.path)
        except OSError:
            for temporary, _ in written:
                temporary.unlink(missing_ok=True)
            raise
        for folder in {segment.path.parent for _, segment in written}:
            sync(folder)
        self._failpoint("segment_renamed")
        new = [segment for _, segment in written]
        taken = {segment.path for segment in new}
        for segment in old:
            if segment.path not in taken:
                segment.path.unlink(missing_ok=True)
        self.segments = _newest_first([*(s for s in self.segments if s not in old), *new])

    def expire(self, before: int) -> int:
        """Delete the segments whose newest event lies before this time (UTC ms), and what was set aside by then."""
        gone = [segment for segment in self.segments if segment.facts.at_max < before]
        with refusals(self.root):
            for segment in gone:
                segment.path.unlink(missing_ok=True)
            for folder in self.root.glob(_DAYS):
                if folder.name < _day(before):
                    for aside in folder.glob("*.parquet.bad"):
                        aside.unlink()
                    with suppress(OSError):  # not empty
                        folder.rmdir()
        self.segments = tuple(segment for segment in self.segments if segment not in gone)
        return len(gone)

    def read(self, segment: Segment, names: list[str]) -> Any:
        """Some columns of a segment. Raises Unreadable, FileNotFoundError, StorageError."""
        with reading(self.root):
            return columns(segment.path, names)

    def drop(self, segment: Segment, error: Exception) -> None:
        """Set aside a segment that turned out to be unreadable, or forget one that somebody removed."""
        with refusals(self.root):
            if segment in self.segments and segment.path.exists():
                self._set_aside(segment.path, error)
        self.segments = tuple(s for s in self.segments if s != segment)


def _write(piece: Piece) -> tuple[Path, Segment]:
    """A finished temporary file, and the segment that it is to become. Raises OSError and leaves nothing."""
    piece.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = piece.folder / f"{piece.lane}-{piece.first:012d}-{piece.last:012d}.parquet"
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        facts = write(temporary, piece.table)
        sync(temporary)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary, Segment(path, piece.lane, piece.first, piece.last, facts)


def _newest_first(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    return tuple(sorted(segments, key=lambda segment: segment.facts.at_max, reverse=True))


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


@contextmanager
def refusals(root: Path) -> Iterator[None]:
    """Turn what the disk refuses into StorageError."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the archive {root} refused: {error}", hint="check free space, the mount and the folder's owner"
        ) from error


@contextmanager
def reading(root: Path) -> Iterator[None]:
    """Around reading one segment: Unreadable where its content is at fault, StorageError where the disk is.

    FileNotFoundError stays what it is.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            with refusals(root):
                raise
        raise Unreadable(str(error)) from error
