"""Settings: one table, four layers (see `load`)."""

from monitor.settings.loading import Loaded, load
from monitor.settings.table import Setting, Settings, table, variable

__all__ = ["Loaded", "Setting", "Settings", "load", "table", "variable"]
