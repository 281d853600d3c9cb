"""redpost web"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data, Rules
from monitor.cli.running import ignore_hangups, settings_on_kafka


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
    ignore_hangups()
    from monitor.bootstrap import serve_node

    return serve_node(settings_on_kafka(config, {
        "data.dir": data, "http.host": host, "http.port": port, "bus.brokers": brokers, "rules.dir": rules,
    }, "a web node writes to Kafka"))
