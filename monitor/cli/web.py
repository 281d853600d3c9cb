"""redpost web"""

import signal
from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data, Rules


def web(
    *,
    data: Data = None,
    host: Annotated[str | None, Parameter(help="Address to listen on. Default: the setting http.host.")] = None,
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one and prints it.")] = None,
    brokers: Annotated[str | None, Parameter(help="The brokers' addresses. Default: the setting bus.brokers.")] = None,
    rules: Rules = None,
    config: Config = None,
) -> int:
    """Take events in, write them to Kafka, show what workers find. Ctrl+C or SIGTERM stops it, SIGHUP reloads rules.

    Start as many as there are machines to answer, behind something that spreads connections; each has a data folder of
    its own, and all have the same pseudonym key.

    ```
    redpost web --config /etc/redpost.toml --data /var/lib/redpost/web-1
    ```
    """
    with suppress(ValueError):  # beside the main thread
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for, loading the rules, is still to come
    from monitor.bootstrap import serve_node
    from monitor.cli.terminal import safe, tell
    from monitor.domain.errors import ConfigError
    from monitor.settings import load

    loaded = load(config=config, overrides={
        "data.dir": data, "http.host": host, "http.port": port, "bus.brokers": brokers, "rules.dir": rules})
    for warning in loaded.warnings:
        tell(f"warning: {safe(warning)}", style="yellow")
    if not loaded.settings.bus.brokers:
        raise ConfigError("a web node writes to Kafka, and no brokers are named",
                          hint="set bus.brokers; without Kafka, `redpost serve` does everything")
    return serve_node(loaded.settings)
