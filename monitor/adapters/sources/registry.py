"""The formats, in the order in which they are tried, and the one way to open a file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from monitor.adapters.sources import ass, csv_tsv, danmaku_xml, encoding, funasr, ndjson, script, srt, vtt
from monitor.adapters.sources.documents import text_of_docx
from monitor.adapters.sources.model import HEAD, Batch, ByteStream, Source, SourceOptions
from monitor.adapters.sources.unpacking import Peeked, Unpacked, unpack
from monitor.domain.errors import InputError

SOURCES: Final[tuple[Source, ...]] = (
    danmaku_xml,
    vtt,
    ass,
    srt,
    funasr,
    ndjson,
    csv_tsv,
    script,
)

_ENOUGH: Final = 2048

_STRANGERS: Final = (
    (re.compile(rb"PK\x03\x04"), "a zip archive or an Office document", "unpack it, or save the sheet as CSV"),
    (re.compile(rb"\x1f\x8b|\x28\xb5\x2f\xfd"), "compressed twice", "unpack it once"),
    (re.compile(rb"BZh|\xfd7zXZ|7z\xbc\xaf|Rar!"), "an archive that is not gzip or zstd", "unpack it"),
    (re.compile(rb"FLV\x01|.{4}ftyp|\x1aE\xdf\xa3|RIFF|ID3|OggS", re.DOTALL), "a recording (video or audio)",
     "transcribe it first, for example with FunASR"),
    (re.compile(rb"%PDF"), "a PDF document", "save its text as SRT or CSV"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Office document", "save it as .docx, or the sheet as CSV"),
    (re.compile(rb"SQLite format 3"), "a database", "export the table as CSV"),
    (re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE), "an HTML page", "export the data itself"),
    (re.compile(rb"\s*<[?!/a-z]", re.IGNORECASE), "XML, but not of a danmaku recorder (its root is <i>)", ""),
    (re.compile(rb"\s*[\[{]\s*[\[{\]}\"]"), "JSON, but neither events nor FunASR messages",
     "docs/events.md lists the fields"),
)


def open_source(
    path_or_stream: str | Path | BinaryIO | ByteStream, options: SourceOptions, *, form: str = "", name: str = ""
) -> tuple[str, Iterator[Batch]]:
    """Recognise a file by its content and read it: (name of the format, batches as they are read).

    `form` names the format instead, `name` the file behind a stream; a text of no format is a script where its name
    ends like one. gzip and zstd are unpacked, encodings are recognised. A pipe is read no further than its first line
    before its format is known, where that line says it. An empty file gives the name `empty`.

    Raises InputError where the file cannot be opened or fits no format, and while reading where it is a
    decompression bomb. A path is closed when the iterator ends or is dropped; a stream stays the caller's.
    """
    codec = encoding.known(options.encoding) if options.encoding else None
    candidates = tuple(source for source in SOURCES if form in ("", source.NAME))
    if not candidates:
        names = ", ".join(source.NAME for source in SOURCES)
        raise InputError(f"there is no source format {form[:40]!r}", hint="one of " + names)
    suffix = Path(name or (path_or_stream if isinstance(path_or_stream, (str, Path)) else "")).suffix.lower()
    opened = _Opening(options, codec, candidates, named=bool(form), suffix=suffix)
    if not isinstance(path_or_stream, (str, Path)):
        return opened.read(path_or_stream)
    try:
        file = Path(path_or_stream).open("rb")  # noqa: SIM115 (the iterator closes it)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot open {path_or_stream}: {error}", hint="check the path") from error
    try:
        found, batches = opened.read(file)
    except BaseException:
        file.close()
        raise
    closing = _closing(file, batches)
    next(closing)
    return found, (batch for batch in closing if batch is not None)


def _closing(file: BinaryIO, batches: Iterator[Batch]) -> Iterator[Batch | None]:
    """Started at once, so that dropping it closes the file even where nothing was read."""
    with file:
        yield None
        yield from batches


class _Opening:
    """One file on its way from bytes to batches."""

    def __init__(
        self, options: SourceOptions, codec: str | None, candidates: tuple[Source, ...], *, named: bool,
        suffix: str,
    ) -> None:
        self._options = options
        self._codec = codec
        self._candidates = candidates
        self._named = named
        self._suffix = suffix

    def read(self, stream: ByteStream) -> tuple[str, Iterator[Batch]]:
        if self._suffix == ".docx":
            stream = text_of_docx(stream)
        unpacked = unpack(stream)
        plain = unpacked if isinstance(unpacked, Peeked) else Peeked(unpacked)
        source = self._recognised(plain)
        if source is not None:
            codec = self._codec or encoding.marked(plain.peek(4))
            return source.NAME, _read(source, plain, unpacked, self._options, codec)
        if isinstance(unpacked, Unpacked) and unpacked.fault:
            raise InputError(unpacked.fault, hint="copy the file again")
        return "empty", iter(())

    def _recognised(self, plain: Peeked) -> Source | None:
        """The source that fits, or None for an empty file."""
        wanted = 0
        while len(plain.ahead) < HEAD:
            if len(plain.ahead) >= wanted and _says_enough(plain.ahead):
                wanted = 2 * len(plain.ahead)
                if (source := self._fitting(plain.ahead)) is not None:
                    return source
            if not plain.grow():
                break
        sample = plain.ahead[:HEAD]
        if (source := self._fitting(sample)) is not None:
            return source
        head = encoding.as_utf8(sample, encoding=self._codec, legacy=False)
        if _is_blank(head):
            return None
        strange = b"\0" in head or any(pattern.match(head) for pattern, _, _ in _STRANGERS)
        if script in self._candidates and self._suffix in script.SUFFIXES and not strange:
            return script
        raise _no_format(head)

    def _fitting(self, sample: bytes) -> Source | None:
        for source in self._candidates:
            head = encoding.as_utf8(sample, encoding=self._codec, legacy=source.LEGACY)
            if not _is_blank(head) and (self._named or source.sniff(head)):
                return source
        return None


def _is_blank(head: bytes) -> bool:
    return not head.strip(b"\xef\xbb\xbf \t\r\n")


def _says_enough(sample: bytes) -> bool:
    """Whether a pipe that may not go on for a while gave what tells formats apart: a line, or much of one."""
    line, end, _ = sample.lstrip().partition(b"\n")
    return len(sample) >= _ENOUGH or (bool(end) and line.strip() not in (b"[", b"{", b"[{"))


def _read(
    source: Source, plain: Peeked, unpacked: Peeked | Unpacked, options: SourceOptions, codec: str | None
) -> Iterator[Batch]:
    text = encoding.Transcoded(plain, codec, legacy=source.LEGACY)
    told = 0
    for batch in source.read(text, options):
        if told < len(text.warnings):
            batch = msgspec.structs.replace(batch, warnings=(*text.warnings[told:], *batch.warnings))
            told = len(text.warnings)
        yield batch
    late = text.warnings[told:]
    if isinstance(unpacked, Unpacked) and unpacked.fault:
        late.append(unpacked.fault)
    if late:
        yield Batch([], [], [], tuple(late))


def _no_format(sample: bytes) -> InputError:
    known = "known formats: " + ", ".join(source.NAME for source in SOURCES) + " (also as gzip or zstd)"
    for pattern, what, remedy in _STRANGERS:
        if pattern.match(sample):
            return InputError(f"the file looks like {what}", hint=f"{remedy}; {known}" if remedy else known)
    if b"\0" in sample:
        return InputError("the file is not text", hint=known)
    text = encoding.as_utf8(sample, encoding=None, legacy=True).decode("utf-8", "replace").lstrip()
    first = text.split("\n", 1)[0][:20].strip()
    return InputError(f"the file is text of no known format; it begins with {first!r}",
                      hint=known + "; --source-format names one")
