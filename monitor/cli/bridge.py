"""redpost bridge"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config
from monitor.cli.running import settings_on_kafka


def bridge(
    *,
    brokers: Annotated[str | None, Parameter(help="The brokers' addresses. Default: the setting bus.brokers.")] = None,
    tenants: Annotated[str | None, Parameter(help="Whose topics, with commas. Default: bus.tenants.")] = None,
    port: Annotated[int | None, Parameter(help="Port of /metrics, /healthz and /readyz; 0 takes a free one.")] = None,
    config: Config = None,
) -> int:
    """Bring what other programs write to topics of their tenants, one event a message, into the log.

    Ctrl+C or SIGTERM stops it. Several share the work. A message that is no event is named in `redpost topics
    dead-letters`, with why.

    ```
    redpost bridge --config /etc/redpost.toml --tenants agency-1,agency-2
    ```
    """
    from monitor.bootstrap import bridge as run

    return run(settings_on_kafka(config, {"bus.brokers": brokers, "bus.tenants": tenants, "http.port": port},
                                 "a bridge reads from Kafka", hint="set bus.brokers"))
