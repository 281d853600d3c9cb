"""Rule packs and room contexts from files: YAML with positions, every fault of every file at once."""

from monitor.adapters.rulefiles.folder import load, load_sources
from monitor.adapters.rulefiles.rooms import load_rooms, load_rooms_source
from monitor.adapters.rulefiles.source import RuleFolder

__all__ = ["RuleFolder", "load", "load_rooms", "load_rooms_source", "load_sources"]
