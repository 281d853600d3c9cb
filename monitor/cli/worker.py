"""redpost worker"""

from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data
from monitor.cli.running import settings_on_kafka


def worker(
    *,
    data: Data = None,
    brokers: Annotated[str | None, Parameter(help="The brokers' addresses. Default: the setting bus.brokers.")] = None,
    port: Annotated[int | None, Parameter(help="Port of /metrics, /healthz and /readyz; 0 takes a free one.")] = None,
    config: Config = None,
) -> int:
    """Judge a share of the log on Kafka. Ctrl+C or SIGTERM commits what is judged and stops.

    Start as many as there are cores to spare, each with a data folder of its own, under something that starts them
    again: a worker that meets an error ends (70), and so does one whose partitions another one took over (75).

    ```
    redpost worker --config /etc/redpost.toml --data /var/lib/redpost/worker-1
    ```
    """
    from monitor.bootstrap import work

    return work(settings_on_kafka(config, {"data.dir": data, "bus.brokers": brokers, "http.port": port},
                                  "a worker reads the log on Kafka"))
