"""Sources: files of other people's tools, read as events. `docs/sources.md` shows each format."""

from monitor.adapters.sources.model import Batch, SourceOptions
from monitor.adapters.sources.registry import SOURCES, open_source

__all__ = ["SOURCES", "Batch", "SourceOptions", "open_source"]
