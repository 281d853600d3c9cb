"""Rules are compiled in a process of its own, which fills the cache: what compiling leaves behind is no memory of the
service then, and the judging keeps the interpreter to itself."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from monitor.adapters.blobs import databases
from monitor.adapters.bundled import view_tables
from monitor.adapters.forking import halved
from monitor.adapters.rulefiles import RuleFolder
from monitor.domain.errors import RedpostError
from monitor.domain.ids import digest
from monitor.services.bundles import Bundle
from monitor.services.making import compiled

_SMALL: Final = 200_000
"""Bytes of rule files that are compiled sooner than a process starts."""

_CHILD: Final = "from monitor.bootstrap.compiling import main; main()"


async def compile_aside(bundle: Bundle, check: bool, *, cache: Path) -> None:
    """Fill the cache with all that this bundle needs, once; with what checking it needs where `check`. What is wrong
    with the rules is told by who loads them."""
    encoded = msgspec.msgpack.encode(bundle)
    known, key = databases(cache), digest("aside", str(check), blake2b(encoded).hexdigest())
    if len(encoded) < _SMALL or known.kept(key, bool):
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, str(cache), "check" if check else "", stdin=asyncio.subprocess.PIPE,
        process_group=0)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            await process.communicate(encoded)
    finally:
        if process.returncode is None:  # the start or reload that wanted it is given up
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the one that shares its work
            await process.wait()
    if process.returncode == 0:
        known.keep(key, True)


def main() -> None:
    bundle = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Bundle)
    with suppress(RedpostError):
        known = databases(Path(sys.argv[1]), halved)
        source = RuleFolder(Path(), rooms=None, zone=bundle.zone, databases=known)
        compiled(source, bundle, view_tables(), known, check=bool(sys.argv[2]))
