"""Structured logs: one line per fact, to stderr; JSON where nobody watches a terminal."""

import asyncio
import logging
import sys
from contextlib import suppress
from typing import Any, Final, TextIO, cast

import structlog

from monitor.services.ports import Clock, Logger

_REPEAT_MS: Final = 60_000


def configure(*, level: str, form: str) -> Logger:
    """`level`: debug, info, warning, error · `form`: json, console, or auto (console on a terminal)."""
    pretty = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logger: Logger = structlog.get_logger()
    return logger


class _Patient:
    """A stream for logs: a full disk or a reader that went away costs the line, not the process."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


class LoopErrors:
    """What the event loop itself complains of, as log lines: the same one once a minute, with how often it came.

    Where sockets run out, the loop complains a thousand times a second.
    """

    def __init__(self, logger: Logger, clock: Clock) -> None:
        self._logger, self._clock = logger, clock
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}
        """(message, kind of error) → (when it was logged, how often it came since)"""

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        key = str(context.get("message", ""))[:200], type(error).__name__
        now = self._clock.now()
        logged_at, since = self._seen.get(key, (now - _REPEAT_MS, 0))
        if now - logged_at < _REPEAT_MS:
            self._seen[key] = logged_at, since + 1
            return
        self._seen[key] = now, 0
        self._logger.error("loop", message=key[0], error=repr(error), more=since, exc_info=error)
