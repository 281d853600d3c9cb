"""The tables by which several processes of one service agree."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from monitor.adapters.storage.schema_post import metadata

__all__ = ["gatherings", "key_prints", "metadata", "serving", "sockets", "trainings", "turns"]

turns: Final = Table(
    "turns",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),  # UTC ms
)

# The rule set that all partitions are to be judged by: one row.
serving: Final = Table(
    "serving",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),  # rises with each
    Column("version", Text, nullable=False),
    Column("told", BigInteger, nullable=False),  # the number that all partitions were told last
)

key_prints: Final = Table(
    "key_prints",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("print", Text, nullable=False),
)

# Who has a page open at each process, and what they look at.
gatherings: Final = Table(
    "gatherings",
    metadata,
    Column("process", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),  # UTC ms
    Column("body", LargeBinary, nullable=False),  # msgpack
)

# The latest of each tenant, with what came of it.
trainings: Final = Table(
    "trainings",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Column("alive_at", BigInteger),  # UTC ms, while it is under way
)

# How far the messages of WebSocket sessions are with the brokers.
sockets: Final = Table(
    "sockets",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("session", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # UTC ms
    Index(None, "at"),
)
