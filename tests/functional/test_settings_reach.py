"""Each setting reaches the part that it is for: a service is started with every one of them off its default."""

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import to_builtins

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.web.auth import new_token
from monitor.bootstrap import Service, program
from monitor.bootstrap.kafka import wanted_of
from monitor.bootstrap.worker import Worker
from monitor.services.ingest import KEY_MEMORY
from monitor.services.pseudonyms import KEY_BYTES, Pseudonyms
from monitor.services.retention import Kind
from monitor.settings import Settings, load
from monitor.settings.table import table
from tests.functional.clikit import RULES
from tests.functional.fakes import FakeLogger
from tests.parts.postgres import Cluster

HOUR_MS = 3_600_000


class Started:
    """A service that listens, and the settings that its program gave the logger."""

    def __init__(self, service: Service, address: str, logged: dict[str, object]) -> None:
        self.service, self.address, self.logged = service, address, logged

    @property
    def late_ms(self) -> int:
        """How long an event may wait before the service is not ready."""
        detect: Any = self.service.detect
        for waited in range(0, 10**7, 1_000):
            detect.oldest_unjudged_ms = lambda waited=waited: waited
            if self.service._unready():
                return waited - 1_000
        raise AssertionError("it stays ready")

    @property
    def beside(self) -> list[str]:
        """What runs beside the judging."""
        works: list[Any] = list(self.service._beside())
        names = [work.__qualname__ for work in works]
        for work in works:
            work.close()
        return names


def sections(started: Started) -> Mapping[str, Any]:
    service: Any = started.service
    return {"limits": service.ingest.settings.limits, "ingest": service.ingest.settings, "web": service.web,
            "detect": service.detect.settings, "house": service.housekeeping.settings,
            "source": service.rulebook._source, "admission": service.detect._state.admission,
            "breaker": service.post.dispatcher.breaker, "rooms": service.ingest._rooms,
            "log": service.log._settings}


READ: Mapping[str, Callable[[Started, Mapping[str, Any]], object]] = {
    "data.dir": lambda s, of: str(s.service.folder),
    "http.host": lambda s, of: s.address.removeprefix("http://").rpartition(":")[0],
    "http.port": lambda s, of: int(s.address.rpartition(":")[2]),
    "http.require_token": lambda s, of: not of["web"].loopback,
    "http.connections": lambda s, of: s.service.door.most,
    "http.max_sockets": lambda s, of: of["web"].max_sockets,
    "http.max_body_bytes": lambda s, of: of["web"].max_body_bytes,
    "http.max_decompressed_bytes": lambda s, of: of["web"].max_decompressed_bytes,
    "http.head_timeout_s": lambda s, of: s.service.door.head_s,
    "http.body_timeout_s": lambda s, of: of["web"].body_timeout_s,
    "ingest.text": lambda s, of: of["limits"].text,
    "ingest.batch": lambda s, of: of["limits"].batch,
    "ingest.line_bytes": lambda s, of: of["limits"].line_bytes,
    "ingest.future_ms": lambda s, of: of["limits"].future_ms,
    "ingest.duplicates_window_bytes": lambda s, of: of["ingest"].recent * 2 * KEY_MEMORY,
    "ingest.rooms": lambda s, of: of["rooms"]._most,
    "ingest.host_backlog": lambda s, of: of["ingest"].host_backlog,
    "ingest.sample_from": lambda s, of: of["ingest"].sample_from,
    "ingest.sample_keep": lambda s, of: of["ingest"].sample_keep,
    "store.url": lambda s, of: s.service.post.database.place.replace("+asyncpg", ""),
    "store.pool": lambda s, of: s.service.post.database._engine.pool.size(),
    "log.keep_hours": lambda s, of: of["house"].log_keep_ms // HOUR_MS,
    "log.max_bytes": lambda s, of: of["house"].log_max_bytes,
    "log.cache_bytes": lambda s, of: of["log"].cache_bytes,
    "engine.batch_events": lambda s, of: of["detect"].batch,
    "engine.linger_ms": lambda s, of: of["detect"].linger_s * 1_000,
    "engine.snapshot_s": lambda s, of: of["detect"].snapshot_ms // 1_000,
    "engine.late_s": lambda s, of: s.late_ms // 1_000,
    "rules.dir": lambda s, of: str(of["source"]._folder),
    "rules.rooms": lambda s, of: str(of["source"]._rooms),
    "rules.edits": lambda s, of: s.service.works._laid_over,
    "model.dir": lambda s, of: "none" if s.service.rulebook.current.scorer is None else "",
    "rules.watch": lambda s, of: "Rulebook.watch" in s.beside,
    "alerts.gap_ms": lambda s, of: of["detect"].grouping.gap_ms,
    "alerts.longest_ms": lambda s, of: of["detect"].grouping.longest_ms,
    "alerts.storm_most": lambda s, of: of["breaker"].most,
    "alerts.storm_within_s": lambda s, of: of["breaker"].within_s,
    "alerts.storm_calm_s": lambda s, of: of["breaker"].calm_s,
    "broadcast.silence_ms": lambda s, of: of["admission"]._silence_ms,
    "plan.silent_after_s": lambda s, p: s.service.post.evening.silent_after_ms // 1000,
    "events.keep_days": lambda s, of: of["house"].events_keep_ms // (24 * HOUR_MS),
    "outbox.keep": lambda s, of: of["house"].outbox_keep,
    "outside.private": lambda s, of: s.service.outside.private,
    **{f"retention.{kind}_days": lambda s, of, kind=kind: s.service.post.retention.keep[kind] // (24 * HOUR_MS)
       for kind in Kind if kind is not Kind.SESSIONS},
    "retention.sessions_days": lambda s, of: (
        s.service.post.retention.keep["sessions"] - s.service.persons.signing.times.whole_ms) // (24 * HOUR_MS),
    "retention.answers_hours": lambda s, of: {
        s.service.post.retention.answers_ms // HOUR_MS, of["web"].answers_ms // HOUR_MS}.pop(),
    "people.idle_minutes": lambda s, of: s.service.persons.signing.times.idle_ms // 60_000,
    "people.session_hours": lambda s, of: s.service.persons.signing.times.whole_ms // HOUR_MS,
    "people.login_tries": lambda s, of: s.service.persons.signing.guard.login.failures,
    "people.address_tries": lambda s, of: s.service.persons.signing.guard.address.failures,
    "people.lock_minutes": lambda s, of: s.service.persons.signing.guard.longest_ms // 60_000,
    "people.invitation_hours": lambda s, of: s.service.persons.people.times.invitation_ms // HOUR_MS,
    "people.first_link_minutes": lambda s, of: s.service.persons.people.times.setup_ms // 60_000,
    "tenant.zone": lambda s, of: str(s.service.rulebook.current.zone),
    "telemetry.log_level": lambda s, of: s.logged["level"],
    "telemetry.log_format": lambda s, of: s.logged["form"],
}
"""Setting → how its part has it. `pseudonym.key_file` is looked at apart."""


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What the program gives the logger, without its running."""
    found: dict[str, object] = {}
    monkeypatch.setattr(program, "configure", lambda **given: found.update(given))
    monkeypatch.setattr(program, "asyncio", SimpleNamespace(run=lambda work: work.close()))
    monkeypatch.setattr(program, "collect_rarely", lambda: None)
    monkeypatch.setattr(program, "sys", SimpleNamespace(setswitchinterval=lambda seconds: None))
    yield found


def off_default(folder: Path, store: str) -> Settings:
    """Numbers differ from one another, too, so that none can be taken for another's."""
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    (folder / "rooms.yml").write_text("rooms: [{room: '1'}]\n", encoding="utf-8")
    (folder / "key").write_text("ab" * KEY_BYTES, encoding="ascii")
    (folder / "key").chmod(0o600)
    shutil.copytree(RULES, folder / "rules")
    chosen: dict[str, object] = {
        "data.dir": f"{folder}/data", "data.shared": f"{folder}/shared",
        "http.host": "127.0.0.2", "http.port": port, "http.require_token": True,
        "ingest.duplicates_window_bytes": 2 * KEY_MEMORY * 1_234, "pseudonym.key_file": f"{folder}/key",
        "rules.dir": f"{folder}/rules", "rules.rooms": f"{folder}/rooms.yml", "rules.watch": False,
        "rules.edits": False, "model.dir": "none",
        "outside.private": True,
        "store.url": store, "bus.brokers": "127.0.0.1:9", "bus.prefix": "other.", "bus.group": "others",
        "bus.replication": 3, "bus.tenants": "agency,street", "store.pool": 5,
        "people.login_tries": 11, "tenant.zone": "Europe/Berlin", "telemetry.log_level": "error",
        "telemetry.log_format": "json",
    }
    numbers = {row.name: 101 + n for n, row in enumerate(table().values()) if row.name not in chosen}
    return load(environ={}, overrides={**numbers, **chosen}).settings


async def test_every_setting_reaches_its_part(
    tmp_path: Path, logged: dict[str, object], postgres: Cluster
) -> None:
    settings = off_default(tmp_path, await postgres.fresh())
    given = {name: getattr(getattr(settings, name.partition(".")[0]), name.partition(".")[2]) for name in table()}
    assert not [name for name, value in given.items() if value == table()[name].default]
    program.serve(settings)
    service = Service(settings, demo=False, logger=FakeLogger())
    service.folder.mkdir()
    store = SqlStore(await Database.open(settings.store.url))
    await store.save_token(new_token("local", "test", ["read"], 0)[1])
    await store.close()
    await service.open()
    try:
        started = Started(service, await service.listen(), logged)
        parts = sections(started)
        assert {name: read(started, parts) for name, read in READ.items()} == {
            name: value for name, value in given.items()
            if name not in ("pseudonym.key_file", "data.shared") and not name.startswith("bus.")}
        of_key = Pseudonyms(lambda tenant: bytes.fromhex("ab" * KEY_BYTES)).of("local")
        assert service.ingest._pseudonyms.of("local")("viewer") == of_key("viewer")
    finally:
        await service.close()


async def test_what_is_set_of_the_bus_reaches_a_worker(tmp_path: Path) -> None:
    bus = off_default(tmp_path, "postgresql://nobody@127.0.0.1:9/x")
    worker = Worker(bus, logger=FakeLogger())
    worker.clients()
    wanted, conf = wanted_of(bus), worker.host.app.conf
    assert {
        "brokers": worker.brokers.bootstrap, "prefix": worker.brokers.prefix, "partitions": wanted.partitions,
        "replication": wanted.replication, "keep_hours": wanted.keep_hours, "group": conf.id,
        "session_s": conf.broker_session_timeout, "linger_ms": worker.producer._linger_s * 1_000,
        "memory_events": worker.settings.bus.memory_events, "tenants": ",".join(wanted.tenants),
    } == to_builtins(bus.bus)
    assert bus.shared == tmp_path / "shared"
