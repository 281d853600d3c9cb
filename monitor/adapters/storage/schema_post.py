"""The tables of the supervision post: queues, moves, records, the trail, people, what is said to rooms and others."""

from typing import Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, false, text

from monitor.adapters.storage.schema import metadata

__all__ = [
    "audit", "checks", "cues", "dry_runs", "handed", "idempotency", "invitations", "messages", "metadata", "moves",
    "paces", "people", "queue", "records", "releases", "room_links", "rule_edits", "rulings", "sessions", "storms",
    "tracks", "tries", "users",
]

UNROUTED: Final = text("unrouted")
"""As the index has it."""

# What each post has before it, in the order in which it is shown; an alert may lie before several.
queue: Final = Table(
    "queue",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("post", Text, primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),  # minus the priority of its moment
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("moment", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("unrouted", Boolean, nullable=False, server_default=false()),  # no route answered
    # Of the alert, whose every move makes its rows anew: what a queue is filtered by, so that none is looked up.
    *(Column(name, Text, nullable=False, server_default="")
      for name in ("severity", "tier", "rule", "room", "state", "claimed_by", "unit")),
    Column("categories", Text, nullable=False, server_default=""),  # each between spaces
    Index(None, "alert_id"),
    Index(None, "tenant", "moment"),
    Index("ix_queue_unrouted", "tenant", "post", "severity", "unrouted", sqlite_where=UNROUTED,
          postgresql_where=UNROUTED),
    sqlite_with_rowid=False,
)

moves: Final = Table(
    "moves",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # of the alert, after it
    Column("tenant", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "at"),
)

rulings: Final = Table(
    "rulings",
    metadata,
    Column("key", Text, primary_key=True),  # hash of tenant, room, broadcast, rule, role and folded words
    Column("alert_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("cued", Boolean, nullable=False),
)

storms: Final = Table(
    "storms",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("held", Integer, nullable=False),
    Column("waiting", Integer, nullable=False, server_default="0"),  # of the held ones, those that still are
    Index(None, "tenant", "began_at"),
    Index("ix_storms_standing", "tenant", "rule", unique=True, sqlite_where=text("ended_at IS NULL"),
          postgresql_where=text("ended_at IS NULL")),
)

paces: Final = Table(
    "paces",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("storm", Text, nullable=False),  # the id of the one that rages, or empty
    Column("at", BigInteger, nullable=False),  # when the latest alert came
    Column("body", LargeBinary, nullable=False),  # msgpack of the gauge
)

records: Final = Table(
    "records",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),  # of all records of the tenant together
    Column("body", LargeBinary),  # JSON; NULL: it was taken away
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("starts", BigInteger),  # of slots and shifts
    Column("ends", BigInteger),
    Index(None, "tenant", "version"),
    Index("ix_records_ends", "tenant", "kind", "ends", sqlite_where=text("ends IS NOT NULL"),
          postgresql_where=text("ends IS NOT NULL")),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("of", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("facts", LargeBinary, nullable=False),  # JSON
    Index(None, "tenant", "of", "seq"),
)

# People, and how they come in. Of every secret only a hash is stored; `csrf` opens nothing by itself.
people: Final = Table(
    "people",
    metadata,
    Column("login", Text, primary_key=True),
    Column("password", Text, nullable=False),  # argon2id
)

users: Final = Table(
    "users",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("login", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("grants", JSON, nullable=False),
    Column("joined", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index(None, "login"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("csrf", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("rotated_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("before", Text, nullable=False),
    Column("before_until", BigInteger, nullable=False),
    Index(None, "tenant", "login"),
    Index("ix_sessions_before", "before", sqlite_where=text("before != ''"), postgresql_where=text("before != ''")),
)

tries: Final = Table(
    "tries",
    metadata,
    Column("key", Text, primary_key=True),  # hash of a login or an address
    Column("failures", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False),
    Index(None, "at"),
)

invitations: Final = Table(
    "invitations",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index(None, "tenant", "login"),
)

# What is said to rooms, and to people elsewhere.
cues: Final = Table(
    "cues",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of its latest change, counted by room
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "room", "seq"),
    Index(None, "tenant", "room", "at"),
    Index(None, "tenant", "at"),
    Index(None, "tenant", "alert_id"),
)

# How often decisions bore each rule out.
tracks: Final = Table(
    "tracks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("violations", Integer, nullable=False),
    Column("decisions", Integer, nullable=False),
)

room_links: Final = Table(
    "room_links",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index(None, "tenant", "room"),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", BigInteger),  # when it is tried next; NULL: not any more
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "at"),
    Index("ix_messages_due", "due", sqlite_where=text("due IS NOT NULL"), postgresql_where=text("due IS NOT NULL")),
)

# Copies that one tenant has handed to another, and what came back.
handed: Final = Table(
    "handed",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),  # whose alert it is
    Column("to", Text, nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "alert_id"),
    Index(None, "to", "at"),
)

checks: Final = Table(
    "checks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "at"),
)

# Rules are the whole service's: texts of their files as people wrote them, and which of them judge.
rule_edits: Final = Table(
    "rule_edits",
    metadata,
    Column("path", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("about", LargeBinary, nullable=False),  # msgpack, all but the text
    Column("text", LargeBinary, nullable=False),
)

# The latest of each file, with what came of it.
dry_runs: Final = Table(
    "dry_runs",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Column("alive_at", BigInteger),  # UTC ms, while it runs
)

releases: Final = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    Column("version", Integer, nullable=False),  # 0: as the rules folder has it
    Column("state", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("about", LargeBinary, nullable=False),  # msgpack
    Index(None, "state", "due"),
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False),  # hash of method, path and body
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
)
