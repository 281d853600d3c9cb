"""How this process reaches the brokers, and what it says where it can't."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from msgspec import Struct

from monitor.domain.errors import ConfigError, StorageError


class Brokers(Struct, frozen=True, kw_only=True):
    """`bootstrap`: host:port, several with commas. Topics are named `<prefix>events` and so on."""

    bootstrap: str
    prefix: str = "redpost."
    client: str = "redpost"

    @property
    def events(self) -> str:
        return f"{self.prefix}events"

    @property
    def dead_letter(self) -> str:
        return f"{self.prefix}dead-letter"

    def events_in(self, tenant: str) -> str:
        return f"{self.prefix}events-in.{tenant}"

    def common(self) -> dict[str, Any]:
        """What every client is made with."""
        return {"bootstrap_servers": self.bootstrap, "client_id": self.client, "request_timeout_ms": 20_000}


async def started(client: Any, brokers: Brokers) -> None:
    """`client` is connected; one that cannot be is stopped. Raises StorageError."""
    try:
        with refusals(brokers, "connecting"):
            await client.start()
    except BaseException:
        await client.stop()
        raise


@contextmanager
def refusals(brokers: Brokers, doing: str) -> Iterator[None]:
    """Turn what the brokers refuse into the project's errors."""
    try:
        yield
    except OffsetOutOfRangeError as error:
        raise ConfigError(f"the brokers no longer hold what is to be read again ({doing})",
                          hint="the topic's retention is shorter than the age of the oldest snapshot: see docs/scale.md"
                          ) from error
    except (UnknownTopicOrPartitionError, TopicAuthorizationFailedError) as error:
        raise ConfigError(f"{doing}: the topic is not there, or not for this client ({error})",
                          hint="run `redpost topics apply`, and check the access lists") from error
    except MessageSizeTooLargeError as error:
        raise StorageError(f"{doing}: the message is larger than the brokers take",
                           hint="run `redpost topics check`") from error
    except (NotEnoughReplicasError, NotEnoughReplicasAfterAppendError) as error:
        raise StorageError(f"{doing}: too few brokers are in step", hint="bring the missing brokers back") from error
    except (KafkaConnectionError, KafkaTimeoutError, TimeoutError) as error:
        raise StorageError(f"the brokers at {brokers.bootstrap} do not answer ({doing})",
                           hint="check that they run and can be reached; it is tried again") from error
    except KafkaError as error:
        raise StorageError(f"{doing}: {error}", hint="check the brokers' own log") from error
