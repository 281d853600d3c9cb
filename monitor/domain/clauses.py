"""The clauses that rules rest on, and what must be told of one beside what it is cited for."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct


class Confidence(StrEnum):
    """How far the wording of a clause was checked; low: not at all, so that people must be told."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Clause(Struct, frozen=True, kw_only=True):
    """A published article that rules rest on; with PROCESS_DUTY among its categories a duty, on which no rule can rest.

    It holds in the half-open [effective_from, effective_until); None where the day is not certain, or has not come.
    """

    id: str
    document: str
    issuer: str
    article: str
    requirement: str
    effective_from: date | None = None
    effective_until: date | None = None
    confidence: Confidence
    categories: tuple[str, ...]


def citable(clause: Clause, on: date) -> bool:
    """Whether the clause held on that day; one without a certain day may be cited, but without a day."""
    begun = clause.effective_from is None or clause.effective_from <= on
    return begun and (clause.effective_until is None or on < clause.effective_until)


def unverified(ids: Iterable[str], clauses: Mapping[str, Clause]) -> list[str]:
    """Those of low confidence, each once, in the order given."""
    return [each for each in dict.fromkeys(ids) if each in clauses and clauses[each].confidence is Confidence.LOW]


def not_in_force(ids: Iterable[str], clauses: Mapping[str, Clause], on: date) -> list[str]:
    """Those that did not hold on that day, each once, in the order given."""
    return [each for each in dict.fromkeys(ids) if each in clauses and not citable(clauses[each], on)]
