"""What aiohttp itself has to say (mostly of clients that speak no HTTP) as structured lines, without what they sent."""

import logging

from aiohttp.http import WebSocketError
from aiohttp.http_exceptions import HttpProcessingError

from monitor.adapters.web.errors import trace_of
from monitor.services.ports import Logger


def protocol_logger(logger: Logger) -> logging.Logger:
    """A logger for aiohttp's server, which would quote the client's bytes; outside the tree of loggers."""
    found = logging.Logger("redpost.http", logging.WARNING)
    found.addHandler(_Forward(logger))
    return found


class _Forward(logging.Handler):
    def __init__(self, logger: Logger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or isinstance(error, (HttpProcessingError, WebSocketError, ConnectionError)):
            self._logger.warning("http_protocol", kind=type(error).__name__ if error else record.funcName)
        else:
            self._logger.error("http_server", trace=trace_of(error))
