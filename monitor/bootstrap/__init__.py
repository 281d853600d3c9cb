"""The only assembler: settings → adapters → services → the web application; start, stop, and what runs beside them."""

from monitor.bootstrap.program import EXIT_FATAL, EXIT_OWNERSHIP, bridge, serve, serve_node, work
from monitor.bootstrap.service import Service

__all__ = ["EXIT_FATAL", "EXIT_OWNERSHIP", "Service", "bridge", "serve", "serve_node", "work"]
