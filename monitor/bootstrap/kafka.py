"""What the settings say of the brokers and their topics."""

from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.topics import Wanted
from monitor.domain.tenants import checked
from monitor.settings import Settings


def brokers_of(settings: Settings) -> Brokers:
    return Brokers(bootstrap=settings.bus.brokers, prefix=settings.bus.prefix)


def wanted_of(settings: Settings) -> Wanted:
    return Wanted(partitions=settings.bus.partitions, replication=settings.bus.replication,
                  keep_hours=settings.bus.keep_hours, tenants=tenants_of(settings))


def tenants_of(settings: Settings) -> list[str]:
    """Those who write to topics of their own. Raises ConfigError for what is no tenant."""
    return [checked(name) for part in settings.bus.tenants.split(",") if (name := part.strip())]
