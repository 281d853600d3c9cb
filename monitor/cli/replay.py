"""redpost replay"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import LOCAL, STDIN, Reading, TokenFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.adapters.sources import SourceOptions
    from monitor.cli.files import Faults, InFile
    from monitor.cli.http import Accepted
    from monitor.domain.events import Event
    from monitor.services.replay import Replayed


def replay(
    files: Annotated[list[str], Parameter(name="FILE", help="Files to send; - is standard input.")],
    /,
    *,
    to: Annotated[str, Parameter(show_default=True, help="Address of the service.")] = LOCAL,
    speed: Annotated[float, Parameter(
        show_default=True, help="Recorded seconds per second; inf sends as fast as they are taken.")] = 1.0,
    fresh: Annotated[bool, Parameter(
        help="As if it happened now: with new ids, times and broadcasts, so that nothing is a duplicate.")] = False,
    loop: Annotated[bool, Parameter(help="Begin again at the end, each time as with --fresh.")] = False,
    token_file: TokenFile = None,
    reading: Reading | None = None,
) -> int:
    """Send recorded events to a running service in their own pace, or faster.

    Reads what `redpost scan` reads. Several files are merged by time. Without --fresh the events keep their ids,
    so that what the service has already counts as duplicate. A service that is busy or away is waited for.

    ```
    redpost replay tonight.srt chat.xml --room 1024 --speed 10 --fresh
    redpost replay events.ndjson --to https://post.example --token-file my.token
    ```

    Exit codes: 0 sent, 2 a file could not be read, or the service refused or did not answer.
    """
    import asyncio

    from monitor.cli.files import Faults
    from monitor.cli.terminal import safe, tell
    from monitor.domain.errors import InputError

    if STDIN in files and (loop or len(files) > 1):
        raise InputError("standard input can be read once, by itself", hint="save it to a file first")
    known = reading or Reading()
    faults = Faults()
    done, total, unread = asyncio.run(_send(files, known, faults, to, token_file, speed=speed, fresh=fresh, loop=loop))
    faults.end()
    for name in unread:
        tell(f"error: nothing in {safe(name)} could be read", style="red")
    tell(f"{done.events:,} events sent: {total.accepted:,} accepted, {total.duplicates:,} duplicates, "
         f"{total.rejected_total:,} rejected")
    refused = done.events and not total.accepted and not total.duplicates
    return 2 if unread or refused else 0


async def _send(
    files: list[str], known: Reading, faults: "Faults", to: str, token_file: Path | None, *, speed: float, fresh: bool,
    loop: bool,
) -> "tuple[Replayed, Accepted, list[str]]":
    """What was sent, what became of it, and the files of which nothing could be read."""
    import asyncio
    from contextlib import ExitStack, closing

    from monitor.adapters.clock import SystemClock
    from monitor.cli.http import Backoff, Sender, base_of, session_for
    from monitor.services.replay import replay as replayed
    from monitor.settings import load

    options = known.options(load().settings.ingest.limits())
    base = base_of(to)
    opened: list[InFile] = []
    with ExitStack() as files_open:

        def streams() -> "list[Iterator[list[Event]]]":
            files_open.close()  # those of the pass before
            opened[:] = [files_open.enter_context(closing(_opened(name, options, known.source_format)))
                         for name in files]
            return [_events(file, faults) for file in opened]

        async with session_for(token_file) as session:
            sender = Sender(session, base, Backoff(base, asyncio.get_running_loop().time))

            async def send(lines: list[bytes]) -> None:
                answer = await sender.send(lines)
                faults.items(to, answer.rejected, answer.rejected_total)

            done = await replayed(streams, speed=speed, send=send, sleep=asyncio.sleep, now=SystemClock().now,
                                  fresh=fresh, loop=loop)
            return done, sender.total, [file.name for file in opened if file.unreadable]


def _opened(name: str, options: "SourceOptions", form: str) -> "InFile":
    """Raises InputError that names the file."""
    from monitor.cli.files import InFile
    from monitor.domain.errors import InputError

    try:
        return InFile(name, options, form=form)
    except InputError as error:
        if name in error.message:
            raise
        raise InputError(f"{name}: {error.message}", hint=error.hint) from error


def _events(file: "InFile", faults: "Faults") -> "Iterator[list[Event]]":
    return (batch.events for batch in file.batches(faults))
