"""A training in a process of its own: the command `redpost retrain`, beside the service."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from monitor.domain.errors import InputError, StorageError
from monitor.services.learning import Learnt

_NICE: Final = 10
"""Judging goes first."""


async def learn_aside(
    tenant: str, by: str, *, data: Path, model: str, store: str = "", shared: str = "",
) -> Learnt:
    """`model`, `store`, `shared`: the settings model.dir, store.url and data.shared. Raises InputError with what the
    command says, StorageError where it was killed; nothing is kept then."""
    where = [] if store else ["--data", str(data)]
    told = {"REDPOST_STORE__URL": store, "REDPOST_DATA__SHARED": shared, "REDPOST_DATA__DIR": str(data)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "retrain", "--json", "--tenant", tenant, "--by", by, *where,
        env={**os.environ, **(told if store else {}), "REDPOST_MODEL__DIR": model}, stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE, stderr=PIPE)
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)
        out, err = await process.communicate()
        code = await process.wait()
    finally:
        if process.returncode is None:  # the service stops
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code < 0:
        raise StorageError(f"the training was ended by {signal.Signals(-code).name}; nothing was kept",
                           hint="look whether memory was short, and ask for it again")
    try:
        return msgspec.json.decode(out, type=Learnt)
    except msgspec.DecodeError:
        raise _told(err.decode(errors="replace")) from None


def _told(said: str) -> InputError:
    """What a command that fails says last: `error: …`, and mostly `hint: …`."""
    lines = said.splitlines()
    message = next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")),
                   lines[-1] if lines else "the training ended without a word")
    hint = next((line.removeprefix("hint: ") for line in reversed(lines) if line.startswith("hint: ")), "")
    return InputError(message, hint=hint)
