"""A broadcast script: plain text or Markdown, one paragraph an event, judged before air.

Any text fits, so its content shows nothing: it is recognised by the file's name, or where the caller names it.
"""

from collections.abc import Iterator

from monitor.adapters.sources.assembling import Assembler, Item
from monitor.adapters.sources.lines import texts
from monitor.adapters.sources.model import Batch, ByteStream, SourceOptions
from monitor.domain.events import Kind, Stage

NAME = "script"
LEGACY = True
SUFFIXES = (".txt", ".md", ".markdown", ".docx")


def sniff(head: bytes) -> bool:
    return False


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event a line that is not blank; its number stands for its place, so that the ids of equal lines differ."""
    out = Assembler(options)
    for number, text, _ in texts(stream, options.limits, out):
        if text is not None and text.strip():
            out.add(number, Item(kind=Kind.SCRIPT, text=text.strip(), stage=Stage.PREAIR))
        if out.full:
            yield from out.drain()
    yield from out.drain(everything=True)
