"""Structured logs: one line per fact, to stderr; JSON where nobody watches a terminal."""

import logging
import sys

import structlog

from monitor.services.ports import Logger


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logger: Logger = structlog.get_logger()
    return logger
