"""The topics: made with explicit settings by `apply`, and checked at every start."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec import Struct

from monitor.adapters.bus.kafka.connecting import Brokers, refusals
from monitor.adapters.bus.kafka.producing import MOST_BYTES
from monitor.domain.errors import ConfigError

_HOUR_MS: Final = 3_600_000
_OVERHEAD: Final = 2**16
_MISSING: Final = 3
"""Kafka's code of a topic that is not there."""
_LOOKS: Final = 50
_LOOK_S: Final = 0.1


class Wanted(Struct, frozen=True, kw_only=True):
    """`keep_hours`: how long the brokers hold the events: longer than any worker may be away. `in_keep_hours`: what
    third parties send, until it is bridged."""

    partitions: int
    replication: int
    keep_hours: int = 72
    in_keep_hours: int = 6
    dead_letter_keep_hours: int = 336
    tenants: Sequence[str] = ()


class Topic(Struct, frozen=True):
    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]


class Found(Struct, frozen=True):
    """A topic as it stands; no partitions where there is none."""

    partitions: int
    replication: int
    settings: Mapping[str, str]


class Change(Struct, frozen=True):
    """What `apply` did, or what differs."""

    topic: str
    what: str


def topics(brokers: Brokers, wanted: Wanted) -> list[Topic]:
    in_step = "2" if wanted.replication >= 3 else "1"

    def topic(name: str, partitions: int, keep_hours: int) -> Topic:
        return Topic(name, partitions, wanted.replication, {
            "cleanup.policy": "delete", "retention.ms": str(keep_hours * _HOUR_MS), "retention.bytes": "-1",
            "max.message.bytes": str(MOST_BYTES + _OVERHEAD), "min.insync.replicas": in_step,
            "compression.type": "producer", "unclean.leader.election.enable": "false"})

    return [topic(brokers.events, wanted.partitions, wanted.keep_hours),
            topic(brokers.dead_letter, 1, wanted.dead_letter_keep_hours),
            *(topic(brokers.events_in(tenant), wanted.partitions, wanted.in_keep_hours) for tenant in wanted.tenants)]


class Topics:
    """`async with Topics(brokers) as topics`."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._admin = AIOKafkaAdminClient(**brokers.common())

    async def __aenter__(self) -> "Topics":
        with refusals(self._brokers, "connecting"):
            await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def found(self, name: str) -> Found:
        with refusals(self._brokers, f"looking at topic {name}"):
            [described] = await self._admin.describe_topics([name])
            if described["error_code"] == _MISSING:
                return Found(0, 0, {})
            partitions: list[Any] = described["partitions"]
            asked = ConfigResource(ConfigResourceType.TOPIC, name)
            [answer] = await self._admin.describe_configs([asked])
        _, _, _, _, entries = answer.resources[0]
        return Found(len(partitions), min(len(each["replicas"]) for each in partitions),
                     {entry[0]: entry[1] for entry in entries})

    async def apply(self, wanted: Wanted) -> list[Change]:
        """Make what is missing, mend settings. Raises ConfigError where the number of partitions would change: it says
        where each room's events are, and stays as it was made."""
        found = {topic.name: await self.found(topic.name) for topic in topics(self._brokers, wanted)}
        for topic in topics(self._brokers, wanted):
            _same_partitions(topic, found[topic.name])
        changes: list[Change] = []
        for topic in topics(self._brokers, wanted):
            now = found[topic.name]
            if not now.partitions:
                await self._make(topic)
                changes.append(Change(topic.name, f"made, with {topic.partitions} partitions of {topic.replication}"))
            elif other := _differences(topic, now):
                with refusals(self._brokers, f"changing topic {topic.name}"):
                    await self._admin.alter_configs(
                        [ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=dict(topic.settings))])
                changes += [Change(topic.name, each) for each in other]
        return changes

    async def check(self, wanted: Wanted) -> None:
        """Raises ConfigError with everything that is missing or set otherwise."""
        faults: list[str] = []
        for topic in topics(self._brokers, wanted):
            now = await self.found(topic.name)
            if not now.partitions:
                faults.append(f"{topic.name} is not there")
                continue
            _same_partitions(topic, now)
            faults += [f"{topic.name}: {each}" for each in _differences(topic, now)]
        if faults:
            raise ConfigError("; ".join(faults), hint="run `redpost topics apply`")

    async def _make(self, topic: Topic) -> None:
        with refusals(self._brokers, f"making topic {topic.name}"):
            answer = await self._admin.create_topics([NewTopic(
                topic.name, topic.partitions, topic.replication, topic_configs=dict(topic.settings))])
        [(_, code, why, *_)] = answer.topic_errors
        if code:
            raise ConfigError(f"topic {topic.name} could not be made: {why or f'code {code}'}",
                              hint="check the number of brokers and the access lists")
        for _ in range(_LOOKS):  # until the brokers have told one another
            if (await self.found(topic.name)).partitions:
                return
            await asyncio.sleep(_LOOK_S)


def _same_partitions(topic: Topic, found: Found) -> None:
    if found.partitions and found.partitions != topic.partitions:
        raise ConfigError(
            f"topic {topic.name} has {found.partitions} partitions, the settings say {topic.partitions}",
            hint=f"set bus.partitions = {found.partitions}: which partition a room is in follows from their number")


def _differences(topic: Topic, found: Found) -> list[str]:
    return [f"{name} is {found.settings.get(name)}, not {value}" for name, value in topic.settings.items()
            if found.settings.get(name) != value]
