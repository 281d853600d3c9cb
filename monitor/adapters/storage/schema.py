"""The tables. One definition for SQLite and PostgreSQL; what a query never filters by lies in a packed `body`.

Times are UTC ms. A change here needs a revision in `migrations/versions` (a test compares the two).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

positions: Final = Table(
    "positions",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

snapshots: Final = Table(
    "snapshots",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),  # zstd
)

broadcasts: Final = Table(
    "broadcasts",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("room", Text, primary_key=True),
    Column("id", Text, primary_key=True),  # as its source names it: two rooms may both have a broadcast "1"
    Column("started_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("named", Boolean, nullable=False),
    Column("ended_at", BigInteger),
    Column("why_ended", Text, nullable=False),
    Column("heard_at", BigInteger, nullable=False, server_default="0"),
    Index(None, "tenant", "room", "started_at"),
    Index(None, "tenant", "last_at"),
    Index(None, "tenant", "ended_at"),
)

alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("broadcast", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("recurrence", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("joined", Integer, nullable=False, server_default="0"),
    Column("body", LargeBinary, nullable=False),  # msgpack of the alert as it was opened
    Column("unit", Text, nullable=False, server_default=""),
    Column("post", Text, nullable=False, server_default=""),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("moment", Text, nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Text, nullable=False, server_default=""),
    Column("outcome", Text, nullable=False, server_default=""),
    Column("held_by", Text, nullable=False, server_default=""),
    Column("due", BigInteger),  # when time moves it by itself
    Column("review", LargeBinary),  # msgpack; NULL: nobody has touched it
    Column("alike", Text, nullable=False, server_default=""),  # hash of rule and folded words, of any room
    Column("categories", Text, nullable=False, server_default=""),  # each between spaces
    Column("claim_s", Integer),  # from its arrival until somebody took it; NULL: nobody has
    Column("decide_s", Integer),  # from its arrival to the decision that stands
    Column("decided_at", BigInteger),
    # With all that lists are filtered by and figures count: of a month's alerts, only those that fit are looked up.
    Index("ix_alerts_list", "tenant", "at", "severity", "tier", "state", "post", "unit", "outcome", "claimed_by",
          "categories", "rule", "room", "claim_s", "decide_s", "decided_at"),
    Index(None, "tenant", "room", "at"),
    Index(None, "tenant", "rule", "at"),
    Index(None, "tenant", "broadcast", "at", "state"),  # with the state: the open ones of a broadcast are counted
    Index(None, "tenant", "moment"),
)
LIVE: Final = alerts.c.state.in_([literal_column(f"'{state}'") for state in ("open", "claimed", "escalated")])
"""Of a million stored alerts, few are to be decided: what looks for them has trees of its own, which SQLite takes only
for these very words, not for parameters."""
# With all that the gauges count.
Index("ix_alerts_live_post", alerts.c.tenant, alerts.c.post, alerts.c.severity, alerts.c.reason, alerts.c.at,
      alerts.c.state, sqlite_where=LIVE, postgresql_where=LIVE)
# With all that the wall of rooms counts.
Index("ix_alerts_live_room", alerts.c.tenant, alerts.c.room, alerts.c.broadcast, alerts.c.state,
      sqlite_where=LIVE, postgresql_where=LIVE)
HELD: Final = alerts.c.held_by != literal_column("''")
"""As the index has it: what asks for the held ones says so with these words."""
# With all that is asked of what is held: a storm holds a hundred thousand.
Index("ix_alerts_held", alerts.c.tenant, alerts.c.held_by, alerts.c.reason, alerts.c.priority, alerts.c.id,
      alerts.c.post, alerts.c.unit, sqlite_where=HELD, postgresql_where=HELD)
Index("ix_alerts_live_alike", alerts.c.tenant, alerts.c.alike, sqlite_where=LIVE, postgresql_where=LIVE)
Index("ix_alerts_due", alerts.c.due, sqlite_where=alerts.c.due.is_not(None), postgresql_where=alerts.c.due.is_not(None))

# One B-tree in the order of the list, so that a rare category is not looked for in all alerts.
alert_categories: Final = Table(
    "alert_categories",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)

findings: Final = Table(
    "findings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("alert_id", Text, ForeignKey(alerts.c.id, ondelete="CASCADE"), nullable=False),
    Column("withdrawn", Text),  # why it no longer stands
    Column("at", BigInteger, nullable=False),  # of the latest event, joined ones included
    Column("joined", Integer, nullable=False, server_default="0"),
    Column("tenant", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("room", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "alert_id", "withdrawn", "at"),
    Index(None, "tenant", "source", "event_id", "revision"),
)

# What rules in the shadow found: since when each version is tried, how often it found something, and the newest of it.
shadow_rules: Final = Table(
    "shadow_rules",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)

shadow_hours: Final = Table(
    "shadow_hours",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # its begin
    Column("findings", Integer, nullable=False),
)

shadow_findings: Final = Table(
    "shadow_findings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("version", Text, nullable=False),  # of the rule
    Column("at", BigInteger, nullable=False),
    Column("room", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "rule", "at"),
    Index(None, "tenant", "source", "event_id"),
    Index(None, "tenant", "at"),
)

context_chunks: Final = Table(
    "context_chunks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("room", Text, primary_key=True),
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),  # of the lines: a re-read may cut them differently
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # zstd of msgpack
    Index(None, "tenant", "room", "lane", "to_at", "from_at"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # counts the tenant's own updates
    Column("what", Text, nullable=False),
    Column("alert_id", Text, nullable=False),  # no foreign key: it would need an index only for deleting
    sqlite_with_rowid=False,
)

labels: Final = Table(
    "labels",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # msgpack
    Index(None, "tenant", "at"),
)

rule_sets: Final = Table(
    "rule_sets",
    metadata,
    Column("version", Text, primary_key=True),
    Column("sources", LargeBinary, nullable=False),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
