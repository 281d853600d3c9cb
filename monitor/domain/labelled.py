"""Labelled lines: what a classifier learns from and is measured on."""

from typing import Final

from msgspec import Struct

from monitor.domain.events import Kind, Role

VIOLATION: Final = "V"
HARD: Final = "N"
ORDINARY: Final = "O"
EVASIVE: Final = "E"
CARE: Final = "care"
"""The label of people in need: rules look for it, no classifier does."""


class Labelled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line with all its labels; none where it is lawful.

    `type`: V violation · E violation in an evasive spelling (`plain`: without it) · N hard negative · O ordinary; ""
    where nobody said. `near`: the category that a hard negative comes close to. `brief`: who wrote it under which
    instructions; lines of one brief never stand on both sides of a split.
    """

    id: str = ""
    type: str = ""
    labels: list[str] = []
    kind: Kind = Kind.TRANSCRIPT
    speaker: Role = Role.HOST
    vertical: str = ""
    topic: str = ""
    near: str = ""
    brief: str = ""
    text: str
    plain: str = ""
