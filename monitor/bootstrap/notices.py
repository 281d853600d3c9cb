"""What the service logs of its surroundings, each with what to do."""

from typing import Final

from monitor.adapters.process import allow_files
from monitor.adapters.web.door import connections_within, files_needed
from monitor.services.ports import Logger

_FORWARD: Final = "as after a pause: rooms that were silent for so long have ended, and what was not said is missing"
_BACK: Final = "here, time passes at half its speed until the system's clock has come up to it; nothing is lost"


def clock_set(logger: Logger, by: int) -> None:
    """`by`: ms."""
    logger.warning("clock_set", by_s=round(by / 1000), hint=_FORWARD if by > 0 else _BACK)


def key_made(logger: Logger, tenant: str, *, first: bool) -> None:
    """`first`: nothing has a pseudonym yet; later a tenant's key may have been lost."""
    if not first:
        logger.warning("pseudonym_key_made", tenant=tenant,
                       hint="right for a new tenant; one that had a key needs the folder keys/ from a backup, or its "
                       "viewers get other pseudonyms")


def most_connections(logger: Logger, wanted: int) -> int:
    """As many as are set, or as the limit of open files leaves room for."""
    most = min(wanted, connections_within(allow_files(files_needed(wanted))))
    if most < wanted:
        logger.warning("few_open_files", connections=most, hint="raise the limit of open files (ulimit -n) to "
                       f"{files_needed(wanted)}, or lower http.connections")
    return most
