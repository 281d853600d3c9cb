"""One segment's file: Parquet in row groups of a bounded size, with a mark in its footer that a start reads."""

import io
import os
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from monitor.adapters.disk import sync
from monitor.adapters.storage.segments import SCHEMA
from monitor.domain.errors import NewerFormat, StorageError

FORMAT: Final = 1
"""Version of the files; a reader that meets a newer one stops with a message."""

GROUP_EVENTS: Final = 32_768
GROUP_BYTES: Final = 16 * 2**20
"""What a row group holds at most (bytes in memory, unless a single text is longer): a search reads one at a time."""

_TABLES: Final = 64  # that wait; a thousand tiny ones take long to write
_REPEATING: Final = [field.name for field in SCHEMA if pa.types.is_dictionary(field.type)]
_AT: Final = SCHEMA.get_field_index("at")  # its place in the file, too: what comes before it is one column each
_MARK: Final = re.compile(rb"redpost:(\d+):(-?\d+):(-?\d+);(\d*)")
_TAIL: Final = 16_384  # bytes; the metadata end the footer, whatever the number of its row groups


class Unusable(Exception):
    """A file that is no segment, a damaged one (`error` says how), or one that is gone (a FileNotFoundError)."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(f"{path}: {error}")
        self.path, self.error = path, error


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
def _using(path: Path) -> Iterator[None]:
    """Around reading: Unusable where the file is at fault, StorageError where the disk is."""
    try:
        yield
    except (ValueError, KeyError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
            with refusals(path.parents[1]):
                raise
        raise Unusable(path, error) from error


class Facts(NamedTuple):
    """The times (UTC ms) of a segment's oldest and newest event, the number of events, and of the file's bytes."""

    at_min: int
    at_max: int
    events: int
    bytes: int


class Segment(NamedTuple):
    """A file: the log positions `first` to `last` of one lane."""

    path: Path
    lane: int
    first: int
    last: int
    facts: Facts

    @property
    def day(self) -> str:
        return self.path.parent.name


class Writer:
    """Fills an existing, empty file with tables whose rows are in order. Every method raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._waiting: list[Any] = []
        self._rows = self._bytes = self._events = 0  # waiting; waiting; all
        self._times: list[int] = []

    def add(self, table: Any) -> None:
        """Rows that do not fill a row group wait for more."""
        if not table.num_rows:
            return
        self._times += pc.min_max(table["at"]).as_py().values()
        self._events += table.num_rows
        self._wait_for_more(table)
        if self._rows >= GROUP_EVENTS or self._bytes >= GROUP_BYTES:
            self._write(all_of_it=False)

    def _wait_for_more(self, table: Any) -> None:
        self._waiting.append(table)
        if len(self._waiting) >= _TABLES:
            self._waiting = [together(self._waiting).combine_chunks()]
        self._rows += table.num_rows
        self._bytes += table.nbytes

    def _write(self, *, all_of_it: bool) -> None:
        if self._file is None:
            self._file = pq.ParquetWriter(
                self._path, SCHEMA, compression="zstd", compression_level=1, use_dictionary=_REPEATING,
                write_statistics=["at", "seq"],
            )  # fmt: skip
        table = together(self._waiting)
        group = max(1, min(GROUP_EVENTS, GROUP_BYTES * self._rows // self._bytes))
        self._waiting, self._rows, self._bytes = [], 0, 0
        while table.num_rows >= group or (table.num_rows and all_of_it):
            self._file.write_table(table.slice(0, group))
            table = table.slice(group)
        if table.num_rows:
            self._wait_for_more(table)

    def finish(self) -> Facts:
        """Write what waits (of at least one row in all) and the footer."""
        if self._waiting:
            self._write(all_of_it=True)
        at_min, at_max = min(self._times), max(self._times)
        self._file.add_key_value_metadata({"redpost": f"redpost:{FORMAT}:{at_min}:{at_max};{self._events}"})
        self._file.close()
        return Facts(at_min, at_max, self._events, self._path.stat().st_size)

    def close(self) -> None:
        """Let go of the file, finished or not."""
        if self._file is not None:
            with suppress(OSError):  # a full disk refuses the footer of an unfinished one, too
                self._file.close()


def together(tables: Sequence[Any]) -> Any:
    """One table (of at least one), in the order given."""
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).unify_dictionaries()


def read_facts(path: Path) -> Facts:
    """From the footer's metadata. Raises NewerFormat, Unusable, StorageError.

    The text is looked for as it stands: parsing the footer takes ten times as long, and an archive has many files.
    """
    with _using(path):
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(size - _TAIL, 0))
            tail = file.read()
        footer = tail[-8 - int.from_bytes(tail[-8:-4], "little") :]
        marks = _MARK.findall(footer)
        if not marks or not tail.endswith(b"PAR1"):
            raise ValueError("no segment of the archive, or not all of it")
        version, at_min, at_max = map(int, marks[-1][:3])
        if version > FORMAT:
            raise NewerFormat(
                f"the archive segment {path} has format {version}, this version reads up to {FORMAT}",
                hint="run the newer redpost that wrote it, or move the segment away",
            )
        events = int(marks[-1][3] or pq.read_metadata(path).num_rows)  # older marks do not say it
    return Facts(at_min, at_max, events, size)


class Group(NamedTuple):
    """A row group: the `at` (UTC ms) and `seq` of its events, and how many rows lie before it."""

    number: int
    at_min: int
    at_max: int
    seq_min: int
    seq_max: int
    start: int


class Reader:
    """A segment's row groups. Raises Unusable, StorageError.

    Reads in the calling thread alone: the other cores judge.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.groups: list[Group] = []
        with _using(path):
            self._file = pq.ParquetFile(path)
            if not self._file.schema_arrow.equals(SCHEMA):
                raise ValueError("other columns than a segment has")
            start = 0
            for number in range(self._file.num_row_groups):
                group = self._file.metadata.row_group(number)
                at, seq = (group.column(place).statistics for place in (_AT, group.num_columns - 1))
                if at is None or seq is None or not (at.has_min_max and seq.has_min_max):
                    raise ValueError("no statistics of the times and log positions")
                self.groups.append(Group(number, at.min, at.max, seq.min, seq.max, start))
                start += group.num_rows

    def read(self, group: Group, names: list[str] | None = None) -> Any:
        """Some columns of a row group, or all."""
        with _using(self._path):
            return self._file.read_row_group(group.number, names, use_threads=False).replace_schema_metadata(None)

    def close(self) -> None:
        self._file.close()


def spread(path: Path) -> tuple[int, int]:
    """The lowest and the highest log position of a segment's rows. Raises Unusable, StorageError."""
    with closing(Reader(path)) as reader:
        return min(group.seq_min for group in reader.groups), max(group.seq_max for group in reader.groups)


def rows(path: Path, first: int, last: int) -> Iterator[Any]:
    """A segment's rows with the log positions `first` to `last`, by row group. Raises Unusable, StorageError."""
    with closing(Reader(path)) as reader:
        for group in reader.groups:
            if group.seq_min > last or group.seq_max < first:
                continue
            table = reader.read(group)
            if group.seq_min < first or group.seq_max > last:
                seq = table["seq"]
                table = table.filter(pc.and_(pc.greater_equal(seq, first), pc.less_equal(seq, last)))
            yield table


def without(table: Any, seqs: Sequence[int]) -> Any:
    """The table's rows of other log positions."""
    return table.filter(pc.invert(pc.is_in(table["seq"], value_set=pa.array(seqs, pa.int64()))))


class Piece(NamedTuple):
    """Rows that are to become a segment."""

    folder: Path
    lane: int
    first: int
    last: int
    tables: Iterable[Any]


class Made(NamedTuple):
    """A finished temporary file, and the segment that it is to become."""

    temporary: Path
    segment: Segment


def making(piece: Piece) -> Generator[None, None, Made]:
    """Fill a temporary file, with a pause after each table. Where it ends early, it leaves nothing.

    Raises OSError, and what reading the tables raises.
    """
    piece.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = piece.folder / f"{piece.lane}-{piece.first:012d}-{piece.last:012d}.parquet"
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with closing(Writer(temporary)) as writer:
            for table in piece.tables:
                writer.add(table)
                yield
            facts = writer.finish()
        sync(temporary)
    except (OSError, StorageError, Unusable, GeneratorExit):
        temporary.unlink(missing_ok=True)
        raise
    return Made(temporary, Segment(path, piece.lane, piece.first, piece.last, facts))


def made(piece: Piece) -> Made:
    """The same in one go."""
    steps = making(piece)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            finished: Made = done.value
            return finished
