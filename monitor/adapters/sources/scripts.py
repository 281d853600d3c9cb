"""A script that was sent rather than read from a file."""

import io
from typing import Final

from monitor.adapters.sources.model import SourceOptions
from monitor.adapters.sources.registry import open_source
from monitor.adapters.sources.script import SUFFIXES
from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import Kind
from monitor.domain.phrases import phrase
from monitor.services.checking import Read, Script

_MOST: Final = 20_000
"""Lines: a second's work or so, while which others wait."""


def read_script(script: Script, now: int, limits: Limits) -> Read:
    """Its lines as events of a script, as `redpost scan` reads the file. Raises InputError for what is none."""
    if not script.file.lower().endswith(SUFFIXES):
        raise InputError(phrase("{file} has not the ending of a script", file=repr(script.file[-40:])),
                         hint=phrase("one of {names}", names=", ".join(SUFFIXES)))
    options = SourceOptions(now_ms=now, room=script.room, kind=Kind.SCRIPT, limits=limits)
    read = Read([], [], [])
    for batch in open_source(io.BytesIO(script.data), options, name=script.file)[1]:
        read.events.extend(batch.events)
        read.lines.extend(batch.lines)
        read.rejected.extend(batch.rejected)
        if len(read.events) + len(read.rejected) > _MOST:
            raise InputError(phrase("the script has more than {most} lines", most=f"{_MOST:,}"),
                             hint="send it in parts")
    return read
