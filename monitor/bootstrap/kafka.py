"""What the settings say of the brokers and their topics."""

from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.topics import Wanted
from monitor.settings import Settings


def brokers_of(settings: Settings) -> Brokers:
    return Brokers(bootstrap=settings.bus.brokers, prefix=settings.bus.prefix)


def wanted_of(settings: Settings) -> Wanted:
    return Wanted(partitions=settings.bus.partitions, replication=settings.bus.replication,
                  keep_hours=settings.bus.keep_hours)
