"""Where SQLite and PostgreSQL differ, and lists that are too long for one statement."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, case, func
from sqlalchemy.dialects import postgresql, sqlite

PART: Final = 1_000
"""Values of one IN list; both databases refuse a statement of over 32,766 parameters."""

Insert = sqlite.Insert | postgresql.Insert
T = TypeVar("T")


@cache
def _insert(dialect: str, table: Table) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _insert_new(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


def insert(connection: Connection, table: Table) -> Insert:
    """An INSERT that may say ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves alone what is there already."""
    return _insert_new(connection.dialect.name, table)


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Of the rows of a group, those for which it holds; NULL where the group is empty."""
    return func.sum(case((condition, 1), else_=0))


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), PART):
        yield values[start : start + PART]
