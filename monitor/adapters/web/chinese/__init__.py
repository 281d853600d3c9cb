"""What people are told, in Chinese. Patterns are looked up; values that are no phrases stay as they are."""

from typing import Final

import msgspec

from monitor.adapters.web.chinese.requests import REQUESTS, WORDS
from monitor.adapters.web.chinese.rulehints import RULE_HINTS
from monitor.adapters.web.chinese.rules import RULES
from monitor.domain.errors import Fault
from monitor.domain.phrases import TOGETHER, Phrase, filled

SAID: Final[dict[str, str]] = {**RULES, **RULE_HINTS, **REQUESTS, **WORDS}


def in_chinese(said: str) -> str | None:
    """None where it has no Chinese words."""
    if not isinstance(said, Phrase):
        return SAID.get(said)
    values = {name: _value(value) for name, value in said.values.items()}
    if said.pattern == TOGETHER:
        return "；".join(values.values())
    pattern = SAID.get(said.pattern)
    return None if pattern is None else filled(pattern, values)


def fault_in_chinese(fault: Fault) -> Fault:
    """Each part as it is where it has no Chinese words."""
    return msgspec.structs.replace(fault, message=in_chinese(fault.message) or fault.message,
                                   hint=in_chinese(fault.hint) or fault.hint)


def _value(value: str) -> str:
    return (in_chinese(value) or str(value)) if isinstance(value, Phrase) else value
