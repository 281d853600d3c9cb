"""redpost bridge"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config


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
    from monitor.cli.terminal import safe, tell
    from monitor.domain.errors import ConfigError
    from monitor.settings import load

    loaded = load(config=config, overrides={"bus.brokers": brokers, "bus.tenants": tenants, "http.port": port})
    for warning in loaded.warnings:
        tell(f"warning: {safe(warning)}", style="yellow")
    if not loaded.settings.bus.brokers:
        raise ConfigError("a bridge reads from Kafka, and no brokers are named", hint="set bus.brokers")
    return run(loaded.settings)
