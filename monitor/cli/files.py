"""Files as the caller names them: opened, counted, recognised, and what was wrong in them told."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from monitor.adapters.sources import SOURCES, Batch, SourceOptions, open_source
from monitor.adapters.sources.encoding import Transcoded, known, marked
from monitor.adapters.sources.model import HEAD, Source
from monitor.adapters.sources.unpacking import Peeked, Unpacked, unpack
from monitor.cli.options import STDIN
from monitor.cli.terminal import counted, safe, tell
from monitor.domain.errors import InputError
from monitor.domain.rejections import Rejected

SHOWN: Final = 20
"""Rejected items that are shown; the others are counted."""


def nothing(count: int) -> None:
    """The default of what may be told how many bytes were read."""


class Counted:
    """A file that tells how far it was read; what the disk refuses is an InputError."""

    def __init__(self, name: str, told: Callable[[int], None]) -> None:
        self.name = "standard input" if name == STDIN else name
        self._told = told
        try:
            self._file: BinaryIO = sys.stdin.buffer if name == STDIN else Path(name).open("rb")  # noqa: SIM115 (close)
        except (OSError, ValueError) as error:
            raise self._refused(error) from error
        self._own = name != STDIN

    def _refused(self, error: OSError | ValueError) -> InputError:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        folder = isinstance(error, IsADirectoryError)
        return InputError(f"cannot read {self.name}: {why}",
                          hint=f"name the files in it: {self.name.rstrip('/')}/*" if folder
                          else "check the path and its permissions")

    def read(self, size: int, /) -> bytes:
        try:  # read1: what a pipe has is judged at once
            data: bytes = self._file.read1(size) if hasattr(self._file, "read1") else self._file.read(size)
        except OSError as error:
            raise self._refused(error) from error
        self._told(len(data))
        return data

    def close(self) -> None:
        if self._own:
            self._file.close()


class InFile:
    """One file as it is read, to be closed. `format` is its name; `events`, `rejected` grow."""

    def __init__(
        self, name: str, options: SourceOptions, *, form: str = "", told: Callable[[int], None] = nothing
    ) -> None:
        """`form`: the format's name, where it is known. Raises InputError where the file cannot be opened or is of no
        known format."""
        source = next((source for source in SOURCES if form == source.NAME), None)
        self._stream = Counted(name, told)
        self.name = self._stream.name
        self.events = self.rejected = 0
        try:
            if source is not None:
                self.format, self._batches = source.NAME, _read_as(source, self._stream, options)
            else:
                self.format, self._batches = open_source(self._stream, options, name=self.name)
        except BaseException:
            self._stream.close()
            raise

    def batches(self, faults: "Faults") -> Iterator[Batch]:
        """All batches; warnings and rejections go to `faults`. Raises InputError where it cannot be read on."""
        for batch in self._batches:
            self.events += len(batch.events)
            self.rejected += len(batch.rejected)
            faults.add(self.name, batch)
            yield batch

    def close(self) -> None:
        self._stream.close()

    @property
    def unreadable(self) -> bool:
        """There was something in it, and nothing of it could be read."""
        return not self.events and self.rejected > 0


def _read_as(source: Source, stream: Counted, options: SourceOptions) -> Iterator[Batch]:
    """As `open_source` reads, without asking the content for its format."""
    codec = known(options.encoding) if options.encoding else None
    unpacked = unpack(stream)
    plain = Peeked(unpacked) if isinstance(unpacked, Unpacked) else unpacked
    text = Transcoded(plain, codec or marked(plain.peek(HEAD)), legacy=source.LEGACY)

    def batches() -> Iterator[Batch]:
        yield from source.read(text, options)
        late = [*text.warnings, *([unpacked.fault] if isinstance(unpacked, Unpacked) and unpacked.fault else [])]
        if late:
            yield Batch([], [], [], tuple(late))

    return batches()


class Faults:
    """Tells what was rejected, the first ones in full."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, name: str, batch: Batch) -> None:
        for warning in batch.warnings:
            tell(f"{safe(name)}: {safe(warning)}", style="yellow")
        self.items(name, batch.rejected, len(batch.rejected))

    def items(self, name: str, rejected: Sequence[Rejected], total: int) -> None:
        for item in rejected[: max(SHOWN - self.total, 0)]:
            field = f"{item.field}: " if item.field else ""
            hint = f" ({item.hint})" if item.hint else ""
            tell(safe(f"{name}:{item.line}: {field}{item.reason}{hint}"), style="yellow")
        self.total += total

    def end(self) -> None:
        if self.total > SHOWN:
            tell(f"… and {self.total - SHOWN:,} more", style="yellow")
        if self.total:
            tell(f"{counted(self.total, 'item')} rejected", style="yellow")
