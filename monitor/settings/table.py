"""The table of settings: each field of a section struct is one, with its type, bounds, default, unit and help.

docs/settings.md, config/redpost.toml and the messages of `load` are made of this table.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from monitor.domain.accounts import Guard, Throttle, Times
from monitor.domain.alerts import GroupingSettings
from monitor.domain.decoding import Limits
from monitor.domain.storms import Breaker

PREFIX: Final = "REDPOST_"
_FILE: Final = "_file"

_MIB: Final = 1024 * 1024
_MINUTE_MS: Final = 60_000

Count = Annotated[int, Meta(ge=1, extra={"unit": "count"})]
Bytes = Annotated[int, Meta(ge=1, extra={"unit": "bytes"})]
Millis = Annotated[int, Meta(ge=0, extra={"unit": "ms"})]
Seconds = Annotated[int, Meta(ge=1, extra={"unit": "s"})]
Hours = Annotated[int, Meta(ge=1, extra={"unit": "h"})]
Days = Annotated[int, Meta(ge=1, extra={"unit": "days"})]
Port = Annotated[int, Meta(ge=0, le=65535, extra={"unit": "port"})]
Place = Annotated[str, Meta(extra={"unit": "path"})]
Folder = Annotated[str, Meta(min_length=1, extra={"unit": "folder"})]
SecretPlace = Annotated[str, Meta(extra={"unit": "path", "secret": True})]
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]
Zone = Annotated[str, Meta(extra={"unit": "zone"})]


def _help(text: str) -> Meta:
    return Meta(description=text)


class Data(Struct, frozen=True):
    dir: Annotated[Folder, _help("folder of the log, the database and the keys; made on the first start")] = "data"
    shared: Annotated[Place, _help("folder of the archive and of trained models that all web nodes and workers see; "
                                   "empty: data.dir")] = ""


class Store(Struct, frozen=True):
    url: Annotated[str, Meta(extra={"secret": True}),
                   _help("the database that web nodes and workers share, postgresql://USER:PASSWORD@HOST/NAME; empty: "
                         "SQLite in data.dir")] = ""
    pool: Annotated[int, Meta(ge=2, le=100, extra={"unit": "count"}), _help("most connections of a process")] = 8


class Http(Struct, frozen=True):
    host: Annotated[str, _help("address to listen on; beyond loopback all sign in or have a token")] = "127.0.0.1"
    port: Annotated[Port, _help("port to listen on; 0 takes a free one and prints it")] = 8321
    require_token: Annotated[bool, _help("ask for a token on loopback too: set it behind a proxy or tunnel")] = False
    connections: Annotated[Count, _help("most connections at once, if as many files may be open")] = 4_000
    max_body_bytes: Annotated[Bytes, _help("largest request body, as sent")] = 16 * _MIB
    max_decompressed_bytes: Annotated[Bytes, _help("largest request body after decompression")] = 64 * _MIB
    max_sockets: Annotated[Count, _help("most WebSocket connections at once; one serves many rooms")] = 1_000
    head_timeout_s: Annotated[Seconds, _help("a connection that brings no whole request head for so long ends")] = 10
    body_timeout_s: Annotated[Seconds, _help("a body that takes longer to arrive is refused")] = 30


class Ingest(Struct, frozen=True):
    text: Annotated[Count, _help("longest text of one event, in code points")] = 10_000
    batch: Annotated[Count, _help("most events in one request")] = 10_000
    line_bytes: Annotated[Bytes, _help("longest line of an NDJSON body or file")] = 1_000_000
    future_ms: Annotated[Millis, _help("an event time this far ahead of the clock is refused")] = 300_000
    duplicates_window_bytes: Annotated[Bytes, _help("memory for knowing an event that is sent again")] = 16 * _MIB
    rooms: Annotated[Count, _help("most rooms of a tenant; one counts for an hour after its last event")] = 20_000
    host_backlog: Annotated[Count, _help("unjudged host-side events at which senders are told to wait (429)")] = 200_000
    sample_from: Annotated[Count, _help("unjudged comments from which on comments are sampled")] = 100_000
    sample_keep: Annotated[Count, _help("while sampling, every n-th comment is kept")] = 10

    def limits(self) -> Limits:
        return Limits(self.text, self.batch, self.line_bytes, self.future_ms)


class Pseudonym(Struct, frozen=True):
    key_file: Annotated[SecretPlace, _help("file with the key that hides viewer ids; empty: one in data.dir")] = ""


class Log(Struct, frozen=True):
    keep_hours: Annotated[Hours, _help("judged events stay in the log this long")] = 24
    max_bytes: Annotated[Bytes, _help("the oldest judged events go earlier while the log is larger")] = 50 * 1024 * _MIB
    cache_bytes: Annotated[Bytes, _help("memory for the newest part of the log")] = 16 * _MIB


class Bus(Struct, frozen=True):
    """Where the log is Kafka's: workers and web nodes, instead of `serve`."""

    brokers: Annotated[str, _help("the brokers' addresses, host:port with commas; empty: the log is in data.dir")] = ""
    prefix: Annotated[str, _help("what the names of the topics begin with")] = "redpost."
    partitions: Annotated[int, Meta(ge=1, le=1_000, extra={"unit": "count"}),
                          _help("of the topic of events, once and for all: four or more for each worker")] = 12
    replication: Annotated[int, Meta(ge=1, le=9, extra={"unit": "count"}), _help("copies of each partition")] = 1
    keep_hours: Annotated[Hours, _help("events stay with the brokers this long; no worker may be away longer")] = 72
    group: Annotated[str, _help("the workers that share the partitions")] = "redpost-workers"
    tenants: Annotated[str, _help("tenants, with commas, whose programs write to topics events-in.<tenant>")] = ""
    session_s: Annotated[int, Meta(ge=6, le=300, extra={"unit": "s"}),
                         _help("a worker that is not heard of for so long loses its partitions")] = 10
    linger_ms: Annotated[Millis, _help("events wait so long for others that go with them")] = 20
    memory_events: Annotated[Count, _help("events of a partition that a worker holds ahead of the judging")] = 5_000


class Engine(Struct, frozen=True):
    batch_events: Annotated[Count, _help("most events judged in one go")] = 512
    linger_ms: Annotated[Millis, _help("an unfilled batch is judged after this long")] = 5
    snapshot_s: Annotated[Seconds, _help("how often room state is stored, which bounds the re-reading at a start")] = 10

    late_s: Annotated[Seconds, _help("while an event waits longer to be judged, /readyz answers 503")] = 60


class Rules(Struct, frozen=True):
    dir: Annotated[Place, _help("folder of rule packs; empty: the bundled ones")] = ""
    rooms: Annotated[Place, _help("file that describes the rooms; empty: none is described")] = ""
    watch: Annotated[bool, _help("load changed rules and rooms without a restart")] = True
    edits: Annotated[bool, _help("what people publish in the console lies over the files; off: the files alone")] = True


class Model(Struct, frozen=True):
    dir: Annotated[Place, _help("folder of the classifier until one is promoted; empty: the bundled, none: none")] = ""


class Alerts(Struct, frozen=True):
    gap_ms: Annotated[Millis, _help("findings of one room and rule this near to each other share an alert")] = 60_000
    longest_ms: Annotated[Millis, _help("an alert spans at most this long; then a new one opens")] = 600_000
    storm_most: Annotated[Count, _help("of one rule's alerts within `storm_within_s`; those beyond are held")] = 60
    storm_within_s: Annotated[Seconds, _help("the time in which alerts of one rule are counted")] = 60
    storm_calm_s: Annotated[Seconds, _help("a storm ends after so long with fewer than half as many")] = 120

    def breaker(self) -> Breaker:
        return Breaker(most=self.storm_most, within_s=self.storm_within_s, calm_s=self.storm_calm_s)

    def grouping(self) -> GroupingSettings:
        return GroupingSettings(self.gap_ms, self.longest_ms)


class Broadcast(Struct, frozen=True):
    silence_ms: Annotated[Millis, _help("a room without events for this long has ended its broadcast")] = 1_800_000


class Plan(Struct, frozen=True):
    silent_after_s: Annotated[Seconds, _help("a planned room not on air so long after its start is silent")] = 600


class Events(Struct, frozen=True):
    keep_days: Annotated[Days, _help("judged events, masked, stay searchable this long; a day goes as a whole")] = 30


class Outbox(Struct, frozen=True):
    keep: Annotated[Count, _help("live updates of each tenant kept for browsers that reconnect")] = 100_000


class Outside(Struct, frozen=True):
    private: Annotated[bool, _help("let recordings and webhooks lead into private networks")] = False


class Retention(Struct, frozen=True):
    alerts_days: Annotated[Days, _help("alerts that are no violations stay this long, with all that belongs to them")
                           ] = 1_096
    corrections_days: Annotated[Days, _help("violations and what was done about them stay this long")] = 1_096
    checks_days: Annotated[Days, _help("script checks stay this long")] = 1_096
    check_versions_days: Annotated[Days, _help("a version of a script check that a newer one has followed stays this "
                                               "long")] = 1_096
    cues_days: Annotated[Days, _help("cues to rooms stay this long, and no longer than their alerts")] = 1_096
    messages_days: Annotated[Days, _help("messages that were sent, or could not be, stay this long")] = 92
    room_links_days: Annotated[Days, _help("links that show cues stay this long after their end")] = 92
    invitations_days: Annotated[Days, _help("invitations stay this long after their end")] = 31
    sessions_days: Annotated[Days, _help("sessions stay this long after their latest possible end")] = 1
    shadows_days: Annotated[Days, _help("what rules in the shadow found stays this long")] = 30
    answers_hours: Annotated[Hours, _help("a request that is sent again with its Idempotency-Key gets the first answer "
                                          "for this long")] = 24


class Tenant(Struct, frozen=True):
    zone: Annotated[Zone, _help("time zone of hours of the day and of shifts (IANA name)")] = "Asia/Shanghai"


class People(Struct, frozen=True):
    """Bounds: a day's work without a second sign-in is possible, a link that works for ever is not."""

    idle_minutes: Annotated[int, Meta(ge=5, le=1_440, extra={"unit": "min"}),
                            _help("a session ends so long after its last request")] = 120
    session_hours: Annotated[int, Meta(ge=1, le=720, extra={"unit": "h"}),
                             _help("a session ends so long after the sign-in, whatever goes on")] = 12
    login_tries: Annotated[int, Meta(ge=3, le=100, extra={"unit": "count"}),
                           _help("failures to sign in with one login after which it is locked")] = 10
    address_tries: Annotated[int, Meta(ge=5, le=10_000, extra={"unit": "count"}),
                             _help("failures to sign in from one address after which it is locked")] = 100
    lock_minutes: Annotated[int, Meta(ge=1, le=1_440, extra={"unit": "min"}),
                            _help("a lock lasts so long; failures further apart do not add up")] = 15
    invitation_hours: Annotated[int, Meta(ge=1, le=720, extra={"unit": "h"}),
                                _help("an invitation works so long")] = 72
    first_link_minutes: Annotated[int, Meta(ge=5, le=1_440, extra={"unit": "min"}),
                                  _help("the link for the first user, printed at a start, works so long")] = 60

    def times(self) -> Times:
        return Times(idle_ms=self.idle_minutes * _MINUTE_MS, whole_ms=self.session_hours * 60 * _MINUTE_MS,
                     invitation_ms=self.invitation_hours * 60 * _MINUTE_MS,
                     setup_ms=self.first_link_minutes * _MINUTE_MS)

    def guard(self) -> Guard:
        lock_ms = self.lock_minutes * _MINUTE_MS
        return Guard(login=Throttle(failures=self.login_tries, lock_ms=lock_ms),
                     address=Throttle(failures=self.address_tries, lock_ms=lock_ms))


class Telemetry(Struct, frozen=True):
    log_level: Annotated[Level, _help("least level that is logged")] = "info"
    log_format: Annotated[Format, _help("auto: console on a terminal, JSON lines elsewhere")] = "auto"


class Settings(Struct, frozen=True):
    """All settings of one process; the bundled defaults where nothing else was said."""

    data: Data = Data()
    http: Http = Http()
    store: Store = Store()
    ingest: Ingest = Ingest()
    pseudonym: Pseudonym = Pseudonym()
    log: Log = Log()
    bus: Bus = Bus()
    engine: Engine = Engine()
    rules: Rules = Rules()
    model: Model = Model()
    alerts: Alerts = Alerts()
    broadcast: Broadcast = Broadcast()
    plan: Plan = Plan()
    events: Events = Events()
    outbox: Outbox = Outbox()
    outside: Outside = Outside()
    retention: Retention = Retention()
    people: People = People()
    tenant: Tenant = Tenant()
    telemetry: Telemetry = Telemetry()

    @property
    def shared(self) -> Path:
        """Where all processes of a service see the archive and the models."""
        return Path(self.data.shared or self.data.dir)


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the table. `expects` says in words what a value must be; `twin` is the name of its `_file` form."""

    name: str
    type: Any
    default: str | int | bool
    help: str
    unit: str
    expects: str
    secret: bool
    twin: str

    @property
    def variable(self) -> str:
        return variable(self.name)


_EXPECTS: Final = {
    "count": "a whole number", "bytes": "a whole number of bytes", "ms": "a whole number of milliseconds (ms)",
    "s": "a whole number of seconds (s)",
    "min": "a whole number of minutes (min)", "h": "a whole number of hours (h)", "days": "a whole number of days",
    "port": "a port, 0 to 65535", "path": "a path as text", "folder": "the path of a folder",
    "zone": "an IANA time zone such as Asia/Shanghai",
}  # fmt: skip


def variable(name: str) -> str:
    """The environment variable of a setting: http.port → REDPOST_HTTP__PORT."""
    return PREFIX + name.upper().replace(".", "__")


@cache
def table() -> Mapping[str, Setting]:
    """name → setting, in the order of the sections above."""
    rows = {}
    for section in msgspec.structs.fields(Settings):
        for field in msgspec.structs.fields(section.type):
            row = _setting(f"{section.name}.{field.name}", field)
            rows[row.name] = row
    return rows


def _setting(name: str, field: msgspec.structs.FieldInfo) -> Setting:
    info: Any = msgspec.inspect.type_info(field.type)
    notes = info.extra or {}
    kind = info.type
    unit = str(notes.get("unit", ""))
    expects = _EXPECTS.get(unit, "text")
    if isinstance(kind, msgspec.inspect.BoolType):
        expects = "true or false"
    elif isinstance(kind, msgspec.inspect.LiteralType):
        expects = "one of " + ", ".join(map(str, kind.values))
    elif isinstance(kind, msgspec.inspect.IntType) and kind.ge and unit != "port":
        expects += f", at least {kind.ge}" if kind.le is None else f", {kind.ge} to {kind.le}"
    return Setting(
        name=name, type=field.type, default=field.default, help=info.extra_json_schema["description"], unit=unit,
        expects=expects, secret=bool(notes.get("secret")),
        twin=name + _FILE if isinstance(field.default, str) and not name.endswith(_FILE) else "",
    )  # fmt: skip
