"""A web application over fakes, on a real socket: `async with serving() as api`."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, cast

import msgspec
from aiohttp import ClientPayloadError, ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from monitor.adapters.keys import link_secret
from monitor.adapters.outside import Outside
from monitor.adapters.planfiles import read_table
from monitor.adapters.recordfiles import read_folder
from monitor.adapters.rulefiles import load_sources
from monitor.adapters.sources.scripts import read_script
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web import SseHub, WebServices, WebSettings, build_app, new_token
from monitor.adapters.web.auth import OF_ALL, OPERATOR
from monitor.adapters.web.cookies import COOKIE, CSRF
from monitor.adapters.web.cuehub import CueHub
from monitor.adapters.web.handling import Route
from monitor.adapters.web.hub import HubLimits
from monitor.adapters.web.media import RELAYS
from monitor.adapters.web.services import SERVICES
from monitor.domain.accounts import User
from monitor.domain.alerts import Alert, AlertState, GroupingSettings
from monitor.domain.audit import Deed
from monitor.domain.broadcasts import Broadcast
from monitor.domain.channels import Channel
from monitor.domain.cues import Cue, RoomLink
from monitor.domain.decoding import Limits, decode
from monitor.domain.errors import InputError
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Finding, Severity, Span, Tier
from monitor.domain.labels import Label, Withdrawn
from monitor.domain.links import Handed, Link, frozen
from monitor.domain.organisation import Room
from monitor.domain.people import Actor, Grant
from monitor.domain.people import Role as Post
from monitor.domain.rules import Status
from monitor.services.checking import Check, CheckDesk, Details, Summary
from monitor.services.cueing import CueDesk
from monitor.services.dispatch import UNPLACED, Dispatcher
from monitor.services.dryrecords import RunThis
from monitor.services.dryrun import DryRuns
from monitor.services.evening import Evening
from monitor.services.exporting import Exporting
from monitor.services.figures import Figures
from monitor.services.holding import HoldDesk
from monitor.services.ingest import Receipt
from monitor.services.labelling import Labelling
from monitor.services.learning import Learning, Learnt
from monitor.services.lifecycle import Lifecycle
from monitor.services.linking import LinkDesk
from monitor.services.messaging import Messenger
from monitor.services.misses import MissDesk
from monitor.services.onair import AirDesk
from monitor.services.onlookers import Onlookers
from monitor.services.organising import Organising
from monitor.services.people import People
from monitor.services.planning import PlanDesk
from monitor.services.ports import Archive, Store
from monitor.services.recordings import Edit, Edits
from monitor.services.records import (
    AlertFilter,
    AlertPage,
    ArchiveQuery,
    ContextLine,
    Evidence,
    KeptEvent,
    LabelFilter,
    LabelPage,
    RoomPage,
    RoomSummary,
    Saved,
    Series,
    TallyQuery,
    Token,
    Update,
)
from monitor.services.review import ReviewDesk
from monitor.services.roomlinks import RoomLinks, hashed
from monitor.services.rulebook import ReloadResult
from monitor.services.ruleeditions import RuleRelease
from monitor.services.ruletrying import RuleTrial
from monitor.services.rulework import Workbench
from monitor.services.shadows import ShadowDesk
from monitor.services.signing import Opened, SigningIn
from monitor.services.trying import RouteDesk
from tests.fakes.accounts import MemoryAccounts, PlainPasswords
from tests.fakes.answers import MemoryAnswers
from tests.fakes.checks import MemoryChecks
from tests.fakes.cues import MemoryCues, MemoryMail, NoCourier
from tests.fakes.figures import MemoryFigures
from tests.fakes.holds import MemoryHolds
from tests.fakes.ledgers import MemoryLedgers
from tests.fakes.onair import MemoryAir
from tests.fakes.outside import FakeOutside
from tests.fakes.posts import MemoryPosts
from tests.fakes.registry import MemoryRegistry, tiny_model
from tests.fakes.rule_edits import MemoryDryRuns, MemoryRuleEdits, MemoryShadows
from tests.fakes.store import MemoryStore
from tests.fakes.trainings import MemoryTrainings
from tests.faults.harness import RULES
from tests.faults.streams import engine_of, tables

NOW = 1_795_435_200_000
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
LINK = "rc_" + "x" * 43
CONFIG = Path(__file__).parents[2] / "config"


class FakeIngest:
    """Keeps what it accepts in memory. `fail`: errors to raise, one per call. `gate`: waited for in every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes, str, int]] = []
        self.kept: dict[tuple[str, str], str] = {}
        self.sessions: dict[tuple[str, str], int] = {}
        self.fail: list[BaseException] = []
        self.session_fail: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.left = asyncio.Event()

    async def accept(self, tenant: str, body: bytes, *, session: str = "", session_seq: int = 0) -> Receipt:
        self.calls.append((tenant, body, session, session_seq))
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fail:
            raise self.fail.pop(0)
        decoded = decode(body, Limits(), now_ms=NOW)
        new = [event for event in decoded.events if (tenant, event.id) not in self.kept]
        self.kept.update({(tenant, event.id): event.text for event in new})
        if session:
            self.sessions[tenant, session] = session_seq
        self.left.set()
        return Receipt(len(new), len(decoded.events) - len(new), decoded.rejected, decoded.rejected_total,
                       readable=bool(decoded.events) or not decoded.rejected)

    async def session_seq(self, tenant: str, session: str) -> int:
        if self.session_fail is not None:
            raise self.session_fail
        return self.sessions.get((tenant, session), 0)


class FakeStore:
    """The part of ports.Store that the web reads. `fail` is raised by every read while it is set."""

    def __init__(self) -> None:
        self.kept: list[Alert] = []
        self.labelled = MemoryStore()
        self.outbox: list[Update] = []
        self.tokens_kept: list[Token] = []
        self.room_list: dict[str, list[RoomSummary]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.fail: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.token_reads = 0

    def _check(self) -> None:
        if self.fail is not None:
            raise self.fail

    async def alerts(self, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
        self._check()
        if self.gate is not None:
            await self.gate.wait()
        self.asked.append((tenant, where))
        if cursor is not None and not cursor.isdecimal():
            raise InputError("the cursor is not one of this list", hint="start again without a cursor")
        start = int(cursor or 0)
        mine = [a for a in reversed(self.kept) if a.tenant == tenant and where.room in (None, a.room)
                and (where.units is None or a.unit in where.units or a.post in where.posts)]
        page = mine[start : start + limit]
        return AlertPage(page, str(start + limit) if start + limit < len(mine) else None)

    async def evidence(self, tenant: str, alert: str) -> Evidence | None:
        self._check()
        found = next((a for a in self.kept if a.tenant == tenant and a.id == alert), None)
        return None if found is None else Evidence(found, [finding_of(found)], [line_of(found)])

    async def rooms(self, tenant: str, *, live_since: int, cursor: str | None, limit: int,
                    only: Collection[str] | None = None) -> RoomPage:
        self._check()
        self.asked.append((tenant, live_since))
        found = [room for room in self.room_list.get(tenant, [])
                 if (cursor is None or room.room > cursor) and (only is None or room.room in only)]
        return RoomPage(found[:limit], found[limit - 1].room if len(found) > limit else None)

    def of(self, tenant: str) -> list[Update]:
        """Its updates in the outbox."""
        return [u for u in self.outbox if u.alert.tenant == tenant]

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]:
        self._check()
        return [u for u in self.of(tenant) if u.seq > after][:limit]

    async def outbox_bounds(self, tenant: str) -> tuple[int, int]:
        self._check()
        mine = self.of(tenant)
        return (mine[0].seq, mine[-1].seq) if mine else (0, 0)

    async def outbox_ends(self) -> dict[str, int]:
        self._check()
        return {u.alert.tenant: u.seq for u in self.outbox}

    async def labels(self, tenant: str, where: LabelFilter, *, cursor: str | None, limit: int) -> LabelPage:
        self._check()
        return await self.labelled.labels(tenant, where, cursor=cursor, limit=limit)

    async def save_labels(self, tenant: str, labels: Sequence[Label], deeds: Sequence[Deed] = ()) -> Saved:
        self._check()
        return await self.labelled.save_labels(tenant, labels, deeds)

    async def withdraw_label(
        self, tenant: str, label: str, withdrawn: Withdrawn, deeds: Sequence[Deed] = ()
    ) -> Label | None:
        self._check()
        return await self.labelled.withdraw_label(tenant, label, withdrawn, deeds)

    async def tokens(self) -> list[Token]:
        self.token_reads += 1
        self._check()
        return list(self.tokens_kept)


class FakeArchive:
    def __init__(self) -> None:
        self.events: dict[str, list[KeptEvent]] = {}
        self.asked: list[tuple[str, ArchiveQuery]] = []
        self.gate: asyncio.Event | None = None
        self.cancelled = 0

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        self.asked.append((tenant, query))
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return [e for e in self.events.get(tenant, []) if (query.text is None or query.text in e.text)
                and query.kind in (None, e.kind)
                and (query.rooms is None or e.room in query.rooms)][: query.limit]


    async def tally(self, tenant: str, query: TallyQuery) -> list[Series]:
        counts = [0] * query.buckets
        for event in self.events.get(tenant, []):
            if event.room == query.room and query.since <= event.at < query.until:
                counts[(event.at - query.since) // query.bucket_ms] += 1
        return [Series(kind="transcript", lane=0, counts=counts)] if any(counts) else []


class FakeLogger:
    """`lines`: (level, event, facts)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []
        self._more = asyncio.Event()

    def _add(self, level: str, event: str, facts: dict[str, Any]) -> None:
        self.lines.append((level, event, facts))
        self._more.set()

    def info(self, event: str, **facts: Any) -> None:
        self._add("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._add("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._add("error", event, facts)

    async def until(self, event: str, **facts: Any) -> dict[str, Any]:
        """The facts of the first line of this event with these facts, which may still have to come."""
        async with asyncio.timeout(10):
            while True:
                for _, name, found in self.lines:
                    if name == event and facts.items() <= found.items():
                        return found
                self._more.clear()
                await self._more.wait()

    def all(self) -> str:
        return repr(self.lines)


class FakeClock:
    """Stands at `ms`."""

    def __init__(self) -> None:
        self.ms = NOW

    def now(self) -> int:
        return self.ms


class FakeReload:
    def __init__(self) -> None:
        self.calls = 0
        self.fail: Exception | None = None

    async def __call__(self) -> ReloadResult:
        self.calls += 1
        if self.fail is not None:
            raise self.fail
        return ReloadResult("v2", "v1", True, 42)


class FakeTrain:
    """Gives `gives`, or raises it, once `gate` is open."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.gives: Learnt | Exception = Learnt(model="agency/1", against="default/1", lines=3, comparisons={})
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, tenant: str, by: str) -> Learnt:
        self.asked.append((tenant, by))
        await self.gate.wait()
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


@dataclass
class Api:
    """The running application and what lies behind it."""

    client: TestClient[Any, Any]
    ingest: FakeIngest
    store: FakeStore
    archive: FakeArchive
    hub: SseHub
    reload: FakeReload
    logger: FakeLogger
    telemetry: PrometheusTelemetry
    reasons: list[str]
    clock: FakeClock
    registry: MemoryRegistry
    posts: MemoryPosts
    checks: MemoryChecks
    organising: Organising
    cues: MemoryCues
    cue_hub: CueHub
    mail: MemoryMail
    train: "FakeTrain"
    learning: Learning
    accounts: MemoryAccounts
    signing: SigningIn
    people: People
    passwords: PlainPasswords
    rule_edits: MemoryRuleEdits
    alive: list[bool] = field(default_factory=lambda: [True])

    @property
    def port(self) -> int:
        port = self.client.port
        assert port is not None
        return port

    def token(self, *scopes: str, tenant: str = "") -> dict[str, str]:
        """The header of a new token, of the agency unless it is the operator's alone."""
        tenant = tenant or (OPERATOR if OF_ALL.intersection(scopes) else "agency")
        secret, record = new_token(tenant, "test", scopes, NOW)
        self.store.tokens_kept.append(record)
        return {"Authorization": f"Bearer {secret}"}

    async def person(self, login: str, *grants: Grant, tenant: str = "agency", secure: bool = True) -> dict[str, str]:
        """The headers of somebody who has just signed in. `secure`: the service is not open on loopback."""
        user = User(tenant=tenant, login=login, name=login.title(), grants=grants, created_at=NOW, joined=True)
        await self.accounts.save_user(user, [], expected=0)
        await self.accounts.set_password(login, "plain:" + PASSWORD, [])
        opened = await self.signing.sign_in(login, PASSWORD, tenant=tenant, address="test")
        assert isinstance(opened, Opened)
        return {"Cookie": f"{'__Host-' if secure else ''}{COOKIE}={opened.secret}", CSRF: opened.known.session.csrf}

    def revoke(self) -> None:
        """Every token."""
        self.store.tokens_kept = [msgspec.structs.replace(t, revoked_at=NOW) for t in self.store.tokens_kept]

    def publish(self, *alerts: Alert, what: str = "opened") -> list[Update]:
        """Store, outbox and hub, as the detector does it."""
        updates = []
        for alert in alerts:
            self.store.kept.append(alert)
            mine = self.store.of(alert.tenant)
            updates.append(Update(mine[-1].seq + 1 if mine else 1, what, alert))
            self.store.outbox.append(updates[-1])
        self.hub.publish(updates)
        return updates

    async def raw(self, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of its own on which `request` was sent as it is."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        await writer.drain()
        return reader, writer

    async def say(self, request: bytes) -> bytes:
        """Send as it is and read until the server closes."""
        reader, writer = await self.raw(request)
        try:
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def serving(*, hub_limits: HubLimits | None = None, outside: Outside | None = None,
                  outbox: Sequence[Update] = (), recordings: Mapping[str, bytes] | None = None,
                  **settings: Any) -> AsyncIterator[Api]:
    """`settings`: fields of WebSettings. Tokens are read from the store at every request unless set otherwise."""
    telemetry, logger, alive = PrometheusTelemetry(), FakeLogger(), [True]
    reasons: list[str] = []
    clock = FakeClock()
    models = MemoryRegistry(base="default/1")
    for name in ("local/1", "local/2"):
        models.add(tiny_model(name), f"# {name}")
    store, archive, ingest, reload = FakeStore(), FakeArchive(), FakeIngest(), FakeReload()
    posts = MemoryPosts()
    checks = MemoryChecks(posts)
    organising = Organising(posts, clock, read_folder(CONFIG / "post"))
    accounts, passwords, chance = MemoryAccounts(posts), PlainPasswords(), partial(token_urlsafe, 32)
    signing = SigningIn(accounts, passwords, clock, telemetry, chance=chance)
    people = People(accounts, organising, clock, chance=chance)
    cue_store, cue_hub, mail = MemoryCues(posts), CueHub(), MemoryMail()
    store.outbox.extend(outbox)
    hub = SseHub(telemetry, limits=hub_limits)
    train = FakeTrain()
    learning = Learning(train, MemoryTrainings(), reload, clock=clock, logger=logger)
    desk = ReviewDesk(posts, organising, hub, clock, telemetry)
    exporting = Exporting(store=cast(Store, store), ledgers=MemoryLedgers(posts), trail=posts, review=desk,
                          organising=organising, clock=clock, zone=UTC)
    dispatcher, holds = Dispatcher(organising.of, str), MemoryHolds(posts)
    lifecycle = Lifecycle(models, reload, clock=clock, logger=logger, record=posts.write)
    rule_edits = MemoryRuleEdits(posts)
    rules = load_sources(engine_of().ruleset.sources)
    first = msgspec.structs.replace(rules.rules[0], status=Status.SHADOW)
    tried = msgspec.structs.replace(rules, rules=(first, *rules.rules[1:]))
    trial = RuleTrial(cast(Archive, archive), load_sources, engine_of, clock)
    services = WebServices(
        rule_trial=trial,
        dry_runs=DryRuns(trial, cast(Archive, archive), organising, engine_of, posts, clock, logger,
                         GroupingSettings(), MemoryDryRuns()),
        shadows=ShadowDesk(MemoryShadows(), lambda: tried, UTC, clock),
        workbench=Workbench(
            rule_edits, parse=load_sources, folder=lambda: rules.sources, engine=engine_of, reload=reload,
            clock=clock, logger=logger, schema={}),
        holding=HoldDesk(holds, dispatcher.breaker, desk, organising, clock, telemetry),
        trying=RouteDesk(dispatcher, holds, desk, organising, clock),
        exporting=exporting, answers=MemoryAnswers(), outside=outside or cast(Outside, FakeOutside()),
        checking=CheckDesk(checks, organising, partial(read_script, limits=Limits()), engine_of,
                           lambda now: now, clock),
        ingest=ingest, labelling=Labelling(cast(Store, store), tables(), clock),
        lifecycle=lifecycle, learning=learning,
        figures=Figures(MemoryFigures(posts), organising, engine_of, lifecycle.listed, clock),
        review=desk, links=LinkDesk(posts, desk, store.evidence, organising, hub, clock), organising=organising,
        evening=Evening(posts, organising, clock, telemetry, silent_after_ms=600_000),
        air=AirDesk(MemoryAir(posts), cast(Store, store), cast(Archive, archive), organising, clock),
        planning=PlanDesk(organising, partial(read_table, zone=UTC)),
        misses=MissDesk(posts, cast(Archive, archive), UNPLACED, organising, hub, clock),
        signing=signing, people=people, trail=posts,
        cues=CueDesk(cue_store, organising, clock, telemetry, mask=lambda text: text, wake=cue_hub.wake),
        room_links=RoomLinks(cue_store, organising, clock, link_secret), cue_hub=cue_hub,
        messenger=Messenger(mail, organising, NoCourier(), clock, telemetry, logger),
        session_seq=ingest.session_seq, evidence=store.evidence, store=cast(Store, store),
        archive=cast(Archive, archive), hub=hub, onlookers=Onlookers(hub), reload=reload,
        health=lambda: list(reasons), alive=lambda: alive[0], telemetry=telemetry, clock=clock, logger=logger,
        recordings=recordings or {},
    )
    await services.workbench.load()
    app = build_app(services, WebSettings(**{"token_refresh_s": 0, "linger_s": 0.02, **settings}))
    async with TestClient(TestServer(app)) as client:
        yield Api(client, ingest, store, archive, hub, reload, logger, telemetry, reasons, clock, models, posts,
                  checks, organising, cue_store, cue_hub, mail, train, learning, accounts, signing, people, passwords,
                  rule_edits, alive)
        await learning.close()


RULE = "shop/lowest.yml"
TRIED = engine_of().ruleset.rules[0].id
RULE_TEXT = {"path": RULE, "text": (RULES / RULE).read_text(encoding="utf-8")}


def path_of(route: Route) -> str:
    """Of what each tenant of the tests has."""
    if route.name in ("getRuleFile", "getDryRun", "stopDryRun"):
        return f"{route.path}?path={RULE}"
    if route.name == "getRuleShadow":
        return f"{route.path}?rule={TRIED}"
    if route.name == "getMediaPart":
        return "/api/v1/rooms/r1/media/part?address=https%3A%2F%2Fcdn.example%2F1.ts&signature=signed"
    path = route.path.replace("{name}/{version}", "local/1").replace("channels/{id}", "channels/ops")
    path = path.replace("{room}/links/{id}", f"r1/links/{hashed(LINK)[:16]}").replace("{room}", "r1")
    path = path.replace("{secret}", LINK).replace("{why}/{by}", "silenced/s1")
    return path.replace("{kind}/{id}", "room/r1").replace("{kind}", "room").replace(
        "{id}", alert(1).id).replace("{login}", "wang").replace("{session}", "s0")


def body_of(route: Route) -> str | bytes | None:
    """A body that the route takes."""
    bodies: dict[str, Any] = {
        "moveAlerts": {"moves": [{"alert": alert(1).id, "move": {"move": "claim"}}]},
        "reportMiss": {"room": "r1", "event": "e1", "at": NOW, "category": "absolute_claim", "words": "第一"},
        "handAlert": {"to": "street", "note": "请指导"},
        "answerHanded": {"outcome": "violation", "note": "同意"},
        "editRecords": {"edits": [{"kind": "room", "id": "r2", "record": {"title": "二号"}}]},
        "checkScript": {"name": "晚场", "text": "大家好"},
        "takePlan": {"table": "starts,room\n"},
        "putRecord": {"title": "一号"},
        "signIn": {"login": "wang", "password": PASSWORD},
        "takeInvitation": {"password": PASSWORD},
        "changePassword": {"password": PASSWORD, "new_password": PASSWORD + "!"},
        "putUser": {"name": "王", "grants": [{"role": "reviewer"}]},
        "cueRoom": {},
        "makeRoomLink": {},
        "testChannel": {},
        "answerCue": {"cue": "c1", "answer": "seen"},
        "moveHeld": {"move": {"move": "release"}},
        "saveRuleFile": {**RULE_TEXT, "base": 0},
        "lintRule": RULE_TEXT,
        "tryRule": {**RULE_TEXT, "said": "今天全网最低"},
        "startDryRun": RULE_TEXT,
        "publishRule": {"path": RULE, "version": 0},
        "cancelRelease": {"release": 1},
        "previewSilence": {"match": {"room": ["r1"]}},
    }
    if route.name in bodies:
        return msgspec.json.encode(bodies[route.name])
    if route.method in ("GET", "DELETE"):
        return None
    return labels_body(1) if route.name == "sendLabels" else ndjson(1)


async def edited(api: Api, *, run: bool) -> None:
    """Nothing was saved, something is to be published; `run`: a dry run was asked for."""
    works = cast(web.Application, api.client.app)[SERVICES]
    await works.dry_runs.close()
    if run:
        await works.dry_runs.start(Actor(id="x", tenant=OPERATOR), RunThis(**RULE_TEXT))
    api.rule_edits.texts.clear()
    api.rule_edits.kept = {1: RuleRelease(id=1, path=RULE, version=0, by="x", at=NOW, due=NOW + 1)}
    await works.workbench.load()


async def furnish(api: Api, *tenants: str) -> None:
    """What `path_of` and `body_of` speak of, for each."""
    app = cast(web.Application, api.client.app)
    app[RELAYS].signature = lambda tenant, room, url: "signed"  # type: ignore[method-assign]
    for tenant in tenants:
        api.store.kept.append(alert(1, tenant=tenant))
        api.posts.put(alert(1, tenant=tenant))
        api.posts.aired.append(Broadcast(
            id="b1", tenant=tenant, room="r1", started_at=NOW, last_at=NOW, named=True))
        api.archive.events[tenant] = [kept("我们家就是第一")]
        await api.store.save_labels(tenant, [Label(id=alert(1).id, text="好", labels=[], at=NOW)])
        api.checks.kept[tenant] = [check(alert(1).id)]
        await keep(api, tenant, Edit(kind="room", id="r1", record=Room(title="一号", media="https://cdn.example/{room}")),
                   Edit(kind="channel", id="ops", record=Channel(url="wecombot://key")),
                   Edit(kind="link", id="street", record=Link()))
        await keep(api, "street", Edit(kind="link", id=tenant, record=Link()))
        api.posts.crossed[tenant, alert(1).id] = Handed(
            id=alert(1).id, tenant="street", to=tenant, alert="theirs", by="x", at=NOW, note="看看",
            copy=frozen(alert(2), []))
        await api.accounts.save_user(User(tenant=tenant, login="wang", name="王", grants=(Grant(Post.REVIEWER),),
                                          created_at=NOW), [], expected=0)
        own = hashed(LINK + tenant) if hashed(LINK) in api.cues.link_rows else hashed(LINK)
        api.cues.link_rows.setdefault(own, RoomLink(
            id=hashed(LINK)[:16], tenant=tenant, room="r1", by="test", made_at=NOW, expires_at=NOW + 60_000))
        api.cues.rows[tenant, "c1"] = Cue(id="c1", tenant=tenant, room="r1", broadcast="b", alert=alert(1).id, by="li",
                                          at=NOW, say="更正", seq=1)


def check(name: str) -> Check:
    return Check(Summary(id=name, name="晚场", version=1, at=NOW, by="x", room="", sha256="", lines=0, findings=0,
                         worst="", engine_set="e"), Details([], [], []))


async def keep(api: Api, tenant: str, *edits: Edit) -> None:
    """As if the tenant had edited it."""
    await api.posts.edit(tenant, Edits(changes=list(edits), deeds=[], at=NOW, by="test"))
    await api.organising.refresh(tenant)


async def unread(api: Api, path: str) -> socket.socket:
    """A client that has asked for this and reads nothing by itself."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", api.port))
    await loop.sock_sendall(client, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


def alert(number: int = 1, *, tenant: str = "agency", **other: Any) -> Alert:
    """An alert whose text holds a span, with everything filled in."""
    text = other.pop("text", "这个品质就是全网最好的")
    values: dict[str, Any] = {
        "id": f"{number:024x}", "tenant": tenant, "room": "r1", "broadcast": "b1", "lane": 0,
        "rule": "absolute_claim.superlative", "rule_version": "1", "title": "绝对化用语",
        "category": ["absolute_claim"], "sub": "", "tier": Tier.REDLINE,
        "severity": Severity.HIGH, "clauses": ["AD-09-3"], "scope": "event",
        "event_ids": [f"e{number}"], "at": NOW + number * 1000, "last_at": NOW + number * 1000, "offset_ms": 5_000,
        "accepted_at": NOW + number * 1000, "recurrence": 1, "state": AlertState.OPEN, "reason": "", "text": text,
        "spans": [Span(6, 10, text[6:10], "claim", "plain")], "evasive": None,
        "advice": Advice("改为可证实的表述", {"全网最好": "老客回购多的一款"}),
    }
    return Alert(**{**values, **other})


def finding_of(of: Alert) -> Finding:
    return Finding(
        id="f" + of.id, opened_by="f" + of.id, tenant=of.tenant, source="default", event_id=of.event_ids[0],
        event_ids=of.event_ids, revision=0, room=of.room, broadcast=of.broadcast, lane=of.lane,
        kind=Kind.TRANSCRIPT, stage=Stage.LIVE, role=Role.HOST, speaker="", at=of.at, offset_ms=of.offset_ms,
        accepted_at=of.accepted_at, text=of.text, rule=of.rule, rule_version=of.rule_version, title=of.title,
        category=of.category, sub=of.sub, tier=of.tier, severity=of.severity, clauses=of.clauses, spans=of.spans,
        evasive=None, asr_variant=False, advice=of.advice,
    )


def line_of(of: Alert) -> ContextLine:
    return ContextLine(
        tenant=of.tenant, room=of.room, source="default", event_id=of.event_ids[0], revision=0,
        lane=of.lane, broadcast=of.broadcast, at=of.at, offset_ms=of.offset_ms, kind="transcript", role="host",
        speaker="", text=of.text,
    )


def kept(text: str, *, room: str = "r1") -> KeptEvent:
    return KeptEvent(
        source="default", id="e1", revision=0, room=room, broadcast="b1", lane=0, kind="transcript",
        stage="live", role="host", speaker="", at=NOW, offset_ms=None, text=text, masked=[], sampled_out=False,
    )


def room(name: str) -> RoomSummary:
    return RoomSummary(room=name, broadcast="b1", started_at=NOW, last_at=NOW, ended_at=None, why_ended="",
                       alerts_open=1)


class Sse:
    """Reads the events of a stream."""

    def __init__(self, response: ClientResponse) -> None:
        self._content = response.content

    async def block(self) -> str:
        """The next block as it is; "" at the end."""
        async with asyncio.timeout(10):
            try:
                return (await self._content.readuntil(b"\n\n")).decode().removesuffix("\n\n")
            except ClientPayloadError:
                return ""

    async def event(self) -> tuple[str, int | None, Any]:
        """The next event: name, id and data; comments and the like are passed over. ("", None, None) at the end."""
        while True:
            block = await self.block()
            if not block:
                return "", None, None
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                number = fields.get("id")
                return fields["event"], None if number is None else int(number), json.loads(fields["data"])


def events(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"e{n}", "kind": "comment", "room": "r1", "text": f"第{n}条", "speaker": f"v{n}"} for n in numbers]


def label(number: int, **other: Any) -> dict[str, Any]:
    known = {"id": f"l{number}", "text": f"第{number}句就是全网最低", "labels": ["absolute_claim"], "at": NOW - number}
    return {**known, **other}


def labels_body(*numbers: int) -> bytes:
    return "\n".join(json.dumps(label(number), ensure_ascii=False) for number in numbers).encode()


def ndjson(*numbers: int) -> bytes:
    return "\n".join(json.dumps(event, ensure_ascii=False) for event in events(*numbers)).encode()
