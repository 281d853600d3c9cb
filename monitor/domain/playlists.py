"""Playlists (HLS, RFC 8216): which addresses stand in one, and the same one with others in their places."""

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urljoin

from monitor.domain.errors import InputError

LONGEST: Final = 2**20
"""Bytes of a playlist: a day of segments of a few seconds."""
_FIRST: Final = "#EXTM3U"
_URI: Final = re.compile(r'(?<=[:,])(URI=")([^"]*)(")')
_VARIABLE: Final = "{$"


def rewritten(body: bytes, base: str, instead: Callable[[str], str]) -> str:
    """`base`: the address of the playlist, from which those in it count; `instead`: gives the one to write for one in
    full. Raises InputError for what is no playlist, and what `instead` raises."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _none() from None
    if not text.startswith(_FIRST):
        raise _none()
    if _VARIABLE in text:
        raise InputError("the playlist puts its addresses together from variables",
                         hint="name one that holds them whole")
    return "".join(f"{_line(line, base, instead)}\n" for line in text.splitlines())


def _line(line: str, base: str, instead: Callable[[str], str]) -> str:
    if line.startswith("#EXT"):
        return _URI.sub(lambda found: f"{found[1]}{instead(urljoin(base, found[2]))}{found[3]}", line)
    address = line.strip()
    return line if not address or line.startswith("#") else instead(urljoin(base, address))


def _none() -> InputError:
    return InputError("what calls itself a playlist is none", hint="look at the room's record")
